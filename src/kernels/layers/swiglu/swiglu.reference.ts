/**
 * SwiGLU in float64: y[r, i] = silu(x[r, i]) * x[r, width + i] with silu(g) = g / (1 + exp(-g)).
 * @param x [rows, 2 width]
 */
export function swigluReference(x: ArrayLike<number>, width: number): Float64Array {
  const y = new Float64Array(x.length / 2)
  for (let i = 0; i < y.length; i++) {
    const at = Math.floor(i / width) * 2 * width + (i % width)
    y[i] = (x[at] / (1 + Math.exp(-x[at]))) * x[at + width]
  }
  return y
}
