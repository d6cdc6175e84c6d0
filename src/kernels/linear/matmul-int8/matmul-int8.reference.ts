import { linearReference } from '../../common/linear.reference.js'
import { quantizeActivationsReference } from './quantize-activations.reference.js'

/**
 * Matrix product of activations rounded to 8 bits: y[r, n] = sum_i round(x)[r, i] * w[n, i].
 * @param x [rows, inFeatures]
 * @param w [outFeatures, inFeatures], dequantized
 */
export function matmulInt8Reference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  inFeatures: number,
  groupSize: number,
): Float64Array {
  return linearReference(quantizeActivationsReference(x, groupSize), w, inFeatures)
}
