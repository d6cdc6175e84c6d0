import { quantizedActivationsReference } from '../../common/activation-block.reference.js'
import { rmsNormReference } from '../rms-norm/rms-norm.reference.js'

/** RMSNorm in float64, rounded to 8 bits. @param x [rows, weight.length] */
export function normBlocksReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  return quantizedActivationsReference(rmsNormReference(x, weight, epsilon))
}
