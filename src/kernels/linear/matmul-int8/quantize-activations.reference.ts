/**
 * The values that remain of activations after rounding to 8 bits in groups.
 * @param x whole groups
 */
export function quantizeActivationsReference(x: ArrayLike<number>, groupSize: number): Float64Array {
  const rounded = new Float64Array(x.length)
  for (let first = 0; first < x.length; first += groupSize) {
    let highest = 0
    for (let i = 0; i < groupSize; i++) highest = Math.max(highest, Math.abs(x[first + i]))
    const scale = highest / 127
    for (let i = 0; i < groupSize; i++) {
      rounded[first + i] = scale === 0 ? 0 : scale * Math.round(x[first + i] / scale)
    }
  }
  return rounded
}
