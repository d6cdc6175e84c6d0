const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** Rounds to the nearest f16 (ties to even) and gives its 16 bits. */
export function floatToHalf(value: number): number {
  float[0] = value
  const sign = (bits[0] >>> 16) & 0x8000
  const magnitude = bits[0] & 0x7fff_ffff
  if (magnitude >= 0x7f80_0000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00)
  if (magnitude >= 0x477f_f000) return sign | 0x7c00
  if (magnitude < 0x3880_0000) {
    // Subnormal: multiples of 2^-24, and Math.round would round ties up instead of to even.
    float[0] = Math.abs(value) + 0.5
    return sign | (bits[0] - 0x3f00_0000)
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x3800_0000) >>> 13)
}

/** The value of 16 bits read as f16. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Packs numbers as f16, two to a word, the first in the low half; an odd end is padded with zero. */
export function packHalves(values: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(values.length / 2))
  for (let i = 0; i < values.length; i++) words[i >> 1] |= floatToHalf(values[i]) << ((i & 1) * 16)
  return words
}

/** The inverse of `packHalves`, for `count` numbers. */
export function unpackHalves(words: Uint32Array, count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) =>
    halfToFloat((words[i >> 1] >>> ((i & 1) * 16)) & 0xffff),
  )
}
