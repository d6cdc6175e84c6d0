/**
 * The gradient of a function of several numbers by central differences: what a reference of a backward kernel is
 * compared with.
 */
export function numericGradient(f: (x: Float64Array) => number, x: ArrayLike<number>): Float64Array {
  const at = Float64Array.from(x)
  return Float64Array.from(at, (value, i) => {
    const step = 1e-5 * Math.max(1, Math.abs(value))
    at[i] = value + step
    const above = f(at)
    at[i] = value - step
    const below = f(at)
    at[i] = value
    return (above - below) / (2 * step)
  })
}

/** sum_i a[i] * b[i] */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
