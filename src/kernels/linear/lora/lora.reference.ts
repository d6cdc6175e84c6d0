import { linearReference } from '../../common/linear.reference.js'

/** Two factors of an adapter's term, and what it is multiplied by. */
export interface LoraFactors {
  /** [rank, inFeatures] */
  readonly a: ArrayLike<number>
  /** [outFeatures, rank] */
  readonly b: ArrayLike<number>
  readonly scale: number
}

/**
 * What a row of a product gets added, in float64: scale * B (A x).
 * @param x [inFeatures]
 */
export function loraReference(x: ArrayLike<number>, { a, b, scale }: LoraFactors): Float64Array {
  const inner = linearReference(x, a, x.length)
  return linearReference(inner, b, inner.length).map((value) => scale * value)
}
