import { packHalves } from '../../common/half.js'

const HALF_LARGEST = 65504

/**
 * Numbers rounded to f16 in pairs, to the nearest, ties to even; +-65504 beyond f16's range.
 * @param x not NaN
 */
export function roundHalvesReference(x: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  return packHalves(Array.from(x, (value) => Math.max(-HALF_LARGEST, Math.min(HALF_LARGEST, value))))
}
