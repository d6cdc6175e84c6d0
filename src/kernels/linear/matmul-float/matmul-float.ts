import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import source from './matmul-float.wgsl?raw'

export interface MatmulFloatConstants {
  /** M, rows of y. */
  readonly rows: number
  /** N, columns of y. */
  readonly outputs: number
  /** K, what the product sums over. */
  readonly depth: number
  /** Whether a lies as [depth, rows] instead of [rows, depth]. */
  readonly transposedA: boolean
  /** Whether b lies as [depth, outputs] instead of [outputs, depth]. */
  readonly transposedB: boolean
  readonly hasBias: boolean
}

export interface MatmulFloatBuffers {
  readonly a: GPUBuffer
  readonly b: GPUBuffer
  /** f32 [outputs]; bound only where the product has a bias. */
  readonly bias?: GPUBuffer
  /** f32 [rows, outputs] */
  readonly y: GPUBuffer
}

/**
 * Compiles the product y[m, n] = sum_k a(m, k) * b(n, k) (+ bias[n]) of trainable f32 matrices: a linear layer, and with
 * the one or the other transposed the gradients of its input and of its weight.
 */
export async function compileMatmulFloat(
  gpu: Gpu,
  { rows, outputs, depth, transposedA, transposedB, hasBias }: MatmulFloatConstants,
): Promise<Kernel<MatmulFloatBuffers>> {
  if (![rows, outputs, depth].every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw kernelArgument('matmul-float', `sizes of ${rows}, ${outputs} and ${depth}`)
  }
  const threadOutputs = gpu.software ? 8 : 16
  const threadRows = gpu.workgroupSize(256) / threadOutputs
  const pipeline = await gpu.compile('matmul-float', [source], {
    u32: {
      ROWS: rows,
      OUT: outputs,
      DEPTH: depth,
      A_ROW: transposedA ? 1 : depth,
      A_DEPTH: transposedA ? rows : 1,
      B_ROW: transposedB ? 1 : depth,
      B_DEPTH: transposedB ? outputs : 1,
      // Software adapters unroll the loop over the depth, and compile for seconds where it is deep.
      TILE_DEPTH: gpu.software ? 8 : 16,
      THREAD_ROWS: threadRows,
      THREAD_OUTPUTS: threadOutputs,
    },
    bool: { HAS_BIAS: hasBias },
  })
  const tiles = [Math.ceil(outputs / (4 * threadOutputs)), Math.ceil(rows / (4 * threadRows)), 1] as const
  return dispatchKernel(
    gpu,
    pipeline,
    ({ a, b, bias, y }) => [a, b, bias ?? gpu.empty, y],
    () => tiles,
  )
}
