import { packHalves, unpackHalves } from './half.js'
import type { WeightFormat } from './weight.js'

/** A weight as words for the GPU, and the same in float64. */
export interface ReferenceWeight {
  readonly words: { weight: Uint32Array; scales?: Uint32Array; biases?: Uint32Array }
  /** [out, in], dequantized. */
  readonly values: Float64Array
}

/**
 * Packs a weight in a format, rounding each group to its own range, and gives the values that result:
 * w = scale * q + bias with f16 scale and bias.
 * @param dense [out, in]
 */
export function referenceWeight(dense: Float32Array, format: WeightFormat): ReferenceWeight {
  if (format.type === 'f16') {
    const weight = packHalves(dense)
    return { words: { weight }, values: Float64Array.from(unpackHalves(weight, dense.length)) }
  }
  const bits = format.type === 'q4' ? 4 : 8
  const levels = 2 ** bits - 1
  const groups = dense.length / format.groupSize
  const weight = new Uint32Array((dense.length * bits) / 32)
  const ranges = Array.from({ length: groups }, (_, group) => {
    const elements = dense.subarray(group * format.groupSize, (group + 1) * format.groupSize)
    const low = Math.min(...elements)
    return { scale: (Math.max(...elements) - low) / levels, bias: low }
  })
  const scales = packHalves(ranges.map(({ scale }) => scale))
  const biases = packHalves(ranges.map(({ bias }) => bias))
  const scale = unpackHalves(scales, groups)
  const bias = unpackHalves(biases, groups)
  const values = new Float64Array(dense.length)
  for (let i = 0; i < dense.length; i++) {
    const group = Math.floor(i / format.groupSize)
    const q = Math.min(levels, Math.max(0, Math.round((dense[i] - bias[group]) / scale[group])))
    weight[Math.floor((i * bits) / 32)] |= q << ((i * bits) % 32)
    values[i] = scale[group] * q + bias[group]
  }
  return { words: { weight, scales, biases }, values }
}
