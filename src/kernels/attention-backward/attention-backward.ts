import prefixedKeysSource from '../common/prefixed-keys.wgsl?raw'
import {
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  trainingAttentionSpecialization,
  trainingWorkgroupSize,
} from '../common/training-attention.js'
import type { Dispatch, Workgroups } from '../dispatch.js'
import type { Gpu } from '../gpu.js'
import deltaSource from './delta.wgsl?raw'
import keysSource from './keys.wgsl?raw'
import queriesSource from './queries.wgsl?raw'
import sumSource from './sum.wgsl?raw'

export interface AttentionBackwardConstants extends TrainingAttentionConstants {
  /** Computes the prefix's gradient alone: for the lowest layer, whose input nobody asks about. */
  readonly prefixOnly: boolean
}

export interface AttentionBackwardBuffers extends TrainingAttentionBuffers {
  /** Gradient of y, f32 [maxRows, heads * headDim]. */
  readonly dy: GPUBuffer
  /** Gradient of qkv in its layout, overwritten; left alone where `prefixOnly`. */
  readonly dqkv: GPUBuffer
  /** Gradient of the prefix in its layout, added to. */
  readonly dprefix: GPUBuffer | GPUBufferBinding
  /** What lies between the dispatches. */
  readonly scratch: GPUBuffer
}

/** The backward pass of attention, compiled for its constants. */
export interface AttentionBackward {
  /** Bytes of scratch; what is in it does not matter, and layers one after the other can share it. */
  readonly scratchBytes: number
  /** The dispatches, in order. */
  bind(label: string, buffers: AttentionBackwardBuffers): readonly Dispatch[]
}

/** Lines (pairs of a row and a head) and keys of a tile: where lines stay and keys go by, and the other way round. */
function tilesOf(gpu: Gpu) {
  // Software adapters compile for many seconds where an invocation has many sums.
  if (gpu.software) return { queryTile: { LINES: 4, KEYS: 8 }, keyTile: { LINES: 8, KEYS: 4 } }
  return { queryTile: { LINES: 16, KEYS: 8 }, keyTile: { LINES: 8, KEYS: 16 } }
}

/** The most parts into which the heads of a group are split, so that few keys too occupy the whole GPU. */
const MAX_SPLITS = 8

/** Bindings begin at multiples of this. */
const BINDING_ALIGNMENT = 256

function splitsOf(gpu: Gpu, { heads, kvGroups }: TrainingAttentionConstants): number {
  let splits = gpu.software ? 1 : Math.min(MAX_SPLITS, heads / kvGroups)
  while ((heads / kvGroups) % splits !== 0) splits--
  return splits
}

/**
 * Compiles the backward pass of `compileAttentionTraining`. Nothing in it depends on the order in which invocations
 * run: the same input gives the same gradient to the bit.
 * @throws KernelArgumentError for heads that do not divide into groups, or are no multiple of 4 wide
 */
export async function compileAttentionBackward(
  gpu: Gpu,
  constants: AttentionBackwardConstants,
): Promise<AttentionBackward> {
  const { heads, kvGroups, headDim, prefixLength, maxRows, prefixOnly } = constants
  const workgroupSize = trainingWorkgroupSize(gpu)
  const splits = splitsOf(gpu, constants)
  const { queryTile, keyTile } = tilesOf(gpu)
  const u32 = {
    ...trainingAttentionSpecialization('attention-backward', constants),
    WORKGROUP_SIZE: workgroupSize,
  }
  const [delta, queries, keys, sum] = await Promise.all([
    gpu.compile('attention-backward delta', [deltaSource], { u32 }),
    gpu.compile('attention-backward queries', [prefixedKeysSource, queriesSource], {
      u32: { ...u32, ...queryTile },
    }),
    gpu.compile('attention-backward keys', [prefixedKeysSource, keysSource], {
      u32: { ...u32, ...keyTile, SPLITS: splits },
    }),
    gpu.compile('attention-backward sum', [sumSource], { u32: { ...u32, SPLITS: splits } }),
  ])
  const deltaBytes = Math.ceil((maxRows * heads * 4) / BINDING_ALIGNMENT) * BINDING_ALIGNMENT
  const partBytes = splits * (prefixLength + maxRows) * 2 * kvGroups * headDim * 4
  const keyRows = (rows: number) => prefixLength + (prefixOnly ? 0 : rows)
  return {
    scratchBytes: deltaBytes + partBytes,
    bind(label, { length, qkv, prefix, y, logSumExp, dy, dqkv, dprefix, scratch }) {
      const deltas = { buffer: scratch, offset: 0, size: deltaBytes }
      const parts = { buffer: scratch, offset: deltaBytes, size: partBytes }
      const dispatch = (
        name: string,
        pipeline: GPUComputePipeline,
        buffers: readonly (GPUBuffer | GPUBufferBinding)[],
        workgroups: (rows: number) => Workgroups,
      ): Dispatch => ({
        label: `${label} ${name}`,
        pipeline,
        bindGroup: gpu.bind(pipeline, `${label} ${name}`, buffers),
        workgroups,
      })
      const read = [length, qkv, prefix, dy, logSumExp, deltas]
      return [
        dispatch('delta', delta, [length, y, dy, deltas], (rows) => [
          Math.ceil((rows * heads) / workgroupSize),
          1,
          1,
        ]),
        ...(prefixOnly
          ? []
          : [
              dispatch('queries', queries, [...read, dqkv], (rows) => [
                kvGroups,
                Math.ceil((rows * heads) / kvGroups / queryTile.LINES),
                1,
              ]),
            ]),
        dispatch('keys', keys, [...read, parts], (rows) => [
          kvGroups * splits,
          Math.ceil(keyRows(rows) / keyTile.KEYS),
          1,
        ]),
        dispatch('sum', sum, [length, parts, dprefix, dqkv], (rows) => [keyRows(rows), 1, 1]),
      ]
    },
  }
}
