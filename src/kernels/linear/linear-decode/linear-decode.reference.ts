import { quantizedActivationsReference } from '../../common/activation-block.reference.js'
import { linearReference } from '../../common/linear.reference.js'
import { rmsNormReference } from '../../layers/rms-norm/rms-norm.reference.js'
import { swigluReference } from '../../layers/swiglu/swiglu.reference.js'

/**
 * The matrix product in float64, with its input rounded to 8 bits as the kernel does.
 * @param x [inFeatures]: the residual stream where there is a norm, else what is to be rounded
 * @param w [outFeatures, inFeatures]
 */
export function linearDecodeReference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  norm?: { readonly weight: ArrayLike<number>; readonly epsilon: number },
): Float64Array {
  const input = norm ? rmsNormReference(x, norm.weight, norm.epsilon) : x
  return linearReference(quantizedActivationsReference(input), w, x.length)
}

/** The same with SwiGLU behind it, whose result is rounded to 8 bits again. */
export function linearDecodeSwigluReference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  norm: { readonly weight: ArrayLike<number>; readonly epsilon: number },
): Float64Array {
  const y = linearDecodeReference(x, w, norm)
  return quantizedActivationsReference(swigluReference(y, y.length / 2))
}
