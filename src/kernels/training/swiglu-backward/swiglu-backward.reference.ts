/**
 * Gradient of SwiGLU in float64, [rows, 2 width]: with s = 1 / (1 + exp(-gate)),
 * dgate = dy * up * s * (1 + gate * (1 - s)) and dup = dy * gate * s.
 * @param x [rows, 2 width], the gate in the first half
 * @param dy [rows, width]
 */
export function swigluBackwardReference(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  width: number,
): Float64Array {
  const dx = new Float64Array(x.length)
  for (let i = 0; i < dy.length; i++) {
    const at = Math.floor(i / width) * 2 * width + (i % width)
    const [gate, up] = [x[at], x[at + width]]
    const s = 1 / (1 + Math.exp(-gate))
    dx[at] = dy[i] * up * s * (1 + gate * (1 - s))
    dx[at + width] = dy[i] * gate * s
  }
  return dx
}
