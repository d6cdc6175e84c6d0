/** The program of a thread that puts ggml's blocks into groups. */
import { serveJobs } from '../../../../platform/index.js'
import { type RepackJob, repackBlocks } from '../ggml-affine.js'

await serveJobs(
  ({ type, blocks }: RepackJob) => repackBlocks(type, blocks),
  (groups) =>
    groups ? [groups.weight, groups.scales, groups.biases].map(({ buffer }) => buffer as ArrayBuffer) : [],
)
