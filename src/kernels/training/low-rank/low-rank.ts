import type { BufferRange, Gpu } from '../../../gpu/index.js'
import dropoutSource from '../../common/dropout.wgsl?raw'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import { kernelArgument } from '../../errors.js'
import randomSource from '../../sampling/sample/random.wgsl?raw'
import allKeptSource from './all-kept.wgsl?raw'
import downSource from './low-rank-down.wgsl?raw'
import upSource from './low-rank-up.wgsl?raw'

export interface LowRankConstants {
  /** Numbers of a row on the side of few. */
  readonly rank: number
  /** Numbers of a row on the side of many, a multiple of 4. */
  readonly width: number
}

export interface LowRankBuffers {
  /** Down f32 [rows, width], up f32 [rows, rank]; there is room for whole fours of rows. */
  readonly x: BufferRange
  /** f32 [rank, width] */
  readonly w: GPUBuffer
  /** Down f32 [rows, rank], up f32 [rows, width]. */
  readonly y: BufferRange
  /** From `prefixDropoutWords`; bound only where what is added is masked. */
  readonly parameters?: BufferRange
}

/** Which way a product goes. */
export type LowRankDirection =
  | { readonly kind: 'down'; readonly scale: number }
  | { readonly kind: 'up'; readonly masked: boolean }

/** y[r, j] = scale * sum_i x[r, i] * w[j, i] */
async function compileDown(
  gpu: Gpu,
  constants: LowRankConstants,
  scale: number,
): Promise<Kernel<LowRankBuffers>> {
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(128))
  const pipeline = await gpu.compile('low-rank-down', [reduction.source, downSource], {
    enable: reduction.enable,
    u32: { ...reduction.u32, RANK: constants.rank, IN: constants.width },
    f32: { SCALE: scale },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, w, y }) => [x, w, y],
    (rows) => [Math.ceil(rows / 4), 1, 1],
  )
}

/** y[r, n] += m(r, n) * sum_j x[r, j] * w[j, n] */
async function compileUp(
  gpu: Gpu,
  { rank, width }: LowRankConstants,
  masked: boolean,
): Promise<Kernel<LowRankBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const mask = masked ? [randomSource, dropoutSource] : [allKeptSource]
  const pipeline = await gpu.compile('low-rank-up', [...mask, upSource], {
    u32: { RANK: rank, OUT: width, WORKGROUP_SIZE: workgroupSize, DROPOUT_BINDING: 3 },
  })
  const workgroups = Math.ceil(width / 4 / workgroupSize)
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, w, y, parameters }) => [x, w, y, parameters],
    (rows) => [workgroups, Math.ceil(rows / 4), 1],
  )
}

/**
 * Compiles a product with a matrix of few rows, between the many numbers of a row and the few of the rank. Down it stores
 * y[r, j] = scale * sum_i x[r, i] * w[j, i]; up it adds m(r, n) * sum_j x[r, j] * w[j, n], with m of dropout where `masked`, else 1.
 * @throws `option.kernel-argument` for sizes that it cannot run
 */
export async function compileLowRank(
  gpu: Gpu,
  constants: LowRankConstants,
  direction: LowRankDirection,
): Promise<Kernel<LowRankBuffers>> {
  const { rank, width } = constants
  const fits = Number.isSafeInteger(rank) && rank > 0 && Number.isSafeInteger(width / 4) && width > 0
  if (!fits) throw kernelArgument('low-rank', `a rank of ${rank} and a width of ${width}`)
  return direction.kind === 'down'
    ? compileDown(gpu, constants, direction.scale)
    : compileUp(gpu, constants, direction.masked)
}
