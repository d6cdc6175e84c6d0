import { floatToHalf, halfToFloat } from '../../common/half.js'

const HALF_LARGEST = 65504
const REFINEMENTS = 2
/** How far inside the range's ends the search looks, in steps of min/max quantization. */
const INSETS = [0, 0.3, 0.6, 0.9]

/** Rows in the affine format: w = scale * q + bias. */
export interface Quantized {
  /** q, bits each, the lowest element in the lowest bits. */
  readonly weight: Uint32Array
  /** One for each group, values of f16. */
  readonly scales: Float64Array
  readonly biases: Float64Array
}

interface Grid {
  readonly scale: number
  readonly bias: number
}

const toHalf = (value: number) =>
  halfToFloat(floatToHalf(Math.max(-HALF_LARGEST, Math.min(HALF_LARGEST, value))))

function roundTiesToEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

function quantized(element: number, { scale, bias }: Grid, levels: number): number {
  return scale === 0 ? 0 : Math.max(0, Math.min(levels, roundTiesToEven((element - bias) / scale)))
}

function squaredError(elements: Float64Array, grid: Grid, levels: number): number {
  return elements.reduce(
    (sum, w) => sum + (w - (grid.scale * quantized(w, grid, levels) + grid.bias)) ** 2,
    0,
  )
}

/** Scale and bias of least squared error for the q that `grid` gives; undefined where these are all equal. */
function refined(elements: Float64Array, grid: Grid, levels: number): Grid | undefined {
  const q = elements.map((w) => quantized(w, grid, levels))
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length
  const meanQ = mean(q)
  const meanW = mean(elements)
  const variance = q.reduce((sum, value) => sum + (value - meanQ) ** 2, 0)
  if (variance === 0) return undefined
  const covariance = q.reduce((sum, value, i) => sum + (value - meanQ) * (elements[i] - meanW), 0)
  const scale = toHalf(covariance / variance)
  return { scale, bias: toHalf(meanW - scale * meanQ) }
}

function bestGrid(elements: Float64Array, levels: number): Grid {
  const low = Math.min(...elements)
  const high = Math.max(...elements)
  if (low === high) {
    const bias = toHalf(low)
    return { scale: toHalf(low - bias), bias }
  }
  const step = (high - low) / levels
  let best: Grid = { scale: 0, bias: 0 }
  let bestError = Number.POSITIVE_INFINITY
  for (const fromHigh of INSETS) {
    for (const fromLow of INSETS) {
      let grid: Grid | undefined = {
        scale: toHalf((step * (levels - fromLow - fromHigh)) / levels),
        bias: toHalf(low + fromLow * step),
      }
      for (let refinement = 0; grid && refinement <= REFINEMENTS; refinement++) {
        const error = squaredError(elements, grid, levels)
        if (error < bestError) {
          bestError = error
          best = grid
        }
        grid = refined(elements, grid, levels)
      }
    }
  }
  return best
}

/**
 * Quantization in float64, group by group: of 16 ranges, each refined twice by least squares, the scale and bias of
 * the least squared error, errors being those of f16 scales and biases.
 * @param values elements of whole groups; those that are not finite count as 0, those beyond f16's range as its end
 * @param bits 4 or 8
 */
export function quantizeReference(values: ArrayLike<number>, bits: number, groupSize: number): Quantized {
  const levels = 2 ** bits - 1
  const groups = values.length / groupSize
  const weight = new Uint32Array((values.length * bits) / 32)
  const scales = new Float64Array(groups)
  const biases = new Float64Array(groups)
  for (let group = 0; group < groups; group++) {
    const elements = Float64Array.from({ length: groupSize }, (_, i) => {
      const value = values[group * groupSize + i]
      return Number.isFinite(value) ? Math.max(-HALF_LARGEST, Math.min(HALF_LARGEST, value)) : 0
    })
    const grid = bestGrid(elements, levels)
    scales[group] = grid.scale
    biases[group] = grid.bias
    elements.forEach((w, i) => {
      const bit = (group * groupSize + i) * bits
      weight[bit >> 5] |= quantized(w, grid, levels) << (bit & 31)
    })
  }
  return { weight, scales, biases }
}

/** The elements that quantized rows stand for. */
export function dequantizeReference(
  { weight, scales, biases }: Quantized,
  bits: number,
  groupSize: number,
): Float64Array {
  return Float64Array.from({ length: scales.length * groupSize }, (_, i) => {
    const group = Math.floor(i / groupSize)
    const q = (weight[(i * bits) >> 5] >>> ((i * bits) & 31)) & (2 ** bits - 1)
    return scales[group] * q + biases[group]
  })
}

/** Root mean square error, relative to the root mean square of the exact values. */
export function relativeError(values: ArrayLike<number>, exact: ArrayLike<number>): number {
  let error = 0
  let square = 0
  for (let i = 0; i < exact.length; i++) {
    error += (values[i] - exact[i]) ** 2
    square += exact[i] ** 2
  }
  return Math.sqrt(error / square)
}
