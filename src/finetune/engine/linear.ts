import type { BufferRange, Dispatch } from '../../gpu/index.js'
import { VARIANT_TABLE } from '../../runtime/engine/index.js'
import type { LinearWeight, ModelBase } from '../../runtime/model/index.js'

/** A product with a frozen weight, compiled for all its slices. */
export interface Product {
  /** Bytes of scratch it needs; products one after the other can share it. */
  readonly scratchBytes: number
  bind(x: BufferRange, y: BufferRange, scratch?: GPUBuffer): Dispatch[]
}

/**
 * Compiles y (+)= x w^T (+ bias) for many rows: a Linear of the training pass. An
 * adapter's term, and its gradients on the way back, would be added here and in `compileProductBackward`.
 * @param maxRows rows that x and y have room for
 * @param accumulate adds to y, which holds the residual
 */
export async function compileProduct(
  { gpu, variants }: ModelBase,
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
      const kernel = await VARIANT_TABLE.trainingProduct.entries[variants.trainingProduct].build.forward(
        gpu,
        constants,
      )
      return (x: BufferRange, y: BufferRange) =>
        kernel.bind(name, { ...buffers, x, y, ...(bias && { bias }) })
    }),
  )
  return { scratchBytes: 0, bind: (x, y) => slices.flatMap((bind) => bind(x, y)) }
}

/**
 * Compiles dx = dy w, the way back through `compileProduct`. Slices of the weight add up.
 * @param maxRows rows that dy and dx have room for
 */
export async function compileProductBackward(
  { gpu, variants }: ModelBase,
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
      const product = await VARIANT_TABLE.trainingProduct.entries[variants.trainingProduct].build.backward(
        gpu,
        constants,
      )
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
