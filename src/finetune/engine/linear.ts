import type { BufferRange, Dispatch, Gpu } from '../../gpu/index.js'
import {
  canRunMatmulSubgroup,
  compileMatmul,
  compileMatmulSubgroup,
  compileMatmulTransposed,
  compileMatmulTransposedSubgroup,
  fastestMatmul,
} from '../../kernels/index.js'
import type { LinearWeight } from '../../runtime/model/index.js'

/** A product with a frozen weight, compiled for all its slices. */
export interface Product {
  /** Bytes of scratch it needs; products one after the other can share it. */
  readonly scratchBytes: number
  bind(x: BufferRange, y: BufferRange, scratch?: GPUBuffer): Dispatch[]
}

/**
 * Compiles y (+)= x w^T (+ bias) with the fastest kernel for many rows that this GPU has: a Linear of the training pass. An
 * adapter's term, and its gradients on the way back, would be added here and in `compileProductBackward`.
 * @param maxRows rows that x and y have room for
 * @param accumulate adds to y, which holds the residual
 */
export async function compileProduct(
  gpu: Gpu,
  weight: LinearWeight,
  maxRows: number,
  accumulate = false,
): Promise<Product> {
  const { name, inFeatures, outFeatures, bias } = weight
  const slices = await Promise.all(
    weight.slices.map(async ({ format, firstRow, rows, buffers }) => {
      const constants = {
        format,
        inFeatures,
        outFeatures: rows,
        outStride: outFeatures,
        outOffset: firstRow,
        hasBias: bias !== undefined,
        accumulate,
        maxRows,
      }
      const kernel = canRunMatmulSubgroup(gpu, constants)
        ? await compileMatmulSubgroup(gpu, constants)
        : await compileMatmul(gpu, constants, fastestMatmul(gpu))
      return (x: BufferRange, y: BufferRange) =>
        kernel.bind(name, { ...buffers, x, y, ...(bias && { bias }) })
    }),
  )
  return { scratchBytes: 0, bind: (x, y) => slices.flatMap((bind) => bind(x, y)) }
}

/**
 * Compiles dx = dy w, the way back through `compileProduct`, on subgroup matrices where there are any. Slices of the
 * weight add up.
 * @param maxRows rows that dy and dx have room for
 */
export async function compileProductBackward(
  gpu: Gpu,
  weight: LinearWeight,
  maxRows: number,
): Promise<Product> {
  const { name, inFeatures, outFeatures } = weight
  const slices = await Promise.all(
    weight.slices.map(async ({ format, firstRow, rows, buffers }, index) => {
      const constants = {
        format,
        inFeatures,
        outFeatures: rows,
        outStride: outFeatures,
        outOffset: firstRow,
        accumulate: index > 0,
        maxRows,
      }
      const product = canRunMatmulSubgroup(gpu, constants)
        ? await compileMatmulTransposedSubgroup(gpu, constants)
        : await compileMatmulTransposed(gpu, constants, { alone: gpu.software })
      return { buffers, product }
    }),
  )
  return {
    scratchBytes: Math.max(...slices.map(({ product }) => product.scratchBytes)),
    bind: (dy, dx, scratch) =>
      slices.flatMap(({ buffers, product }) =>
        product.bind(`${name} gradient`, { ...buffers, dy, dx, ...(scratch && { scratch }) }),
      ),
  }
}
