import { type AffineQuantization, float32ToFloat16, type TensorWithBytes } from '../src/checkpoint/index.js'
import { quantizeReference } from '../src/kernels/quantize/quantize.reference.js'
import type { TensorSpec } from '../src/runtime/index.js'

/**
 * The three tensors of a quantized matrix, by the definition that the GPU's quantization is tested against: the same
 * bytes on every machine.
 *
 * @param tensor [out, in], `in` a multiple of the group size
 * @param values row by row
 */
export function quantizeMatrix(
  { name, shape: [out, inFeatures] }: TensorSpec,
  values: Float32Array,
  { bits, groupSize }: AffineQuantization,
): TensorWithBytes[] {
  const { weight, scales, biases } = quantizeReference(values, bits, groupSize)
  const base = name.replace(/\.weight$/, '')
  const groups = [out, inFeatures / groupSize]
  const halves = (numbers: Float64Array) => bytesOf(float32ToFloat16(Float32Array.from(numbers)))
  return [
    { name, dtype: 'U32', shape: [out, (inFeatures * bits) / 32], bytes: bytesOf(weight) },
    { name: `${base}.scales`, dtype: 'F16', shape: groups, bytes: halves(scales) },
    { name: `${base}.biases`, dtype: 'F16', shape: groups, bytes: halves(biases) },
  ]
}

/** The memory of an array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
