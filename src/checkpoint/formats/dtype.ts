/** The element types this room reads and writes, by their safetensors names. All are little-endian. */
export type DType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U32' | 'I8' | 'U8' | 'BOOL'

const BYTES: Readonly<Record<DType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U32: 4,
  I8: 1,
  U8: 1,
  BOOL: 1,
}

/** The bytes of one element. */
export function dtypeBytes(dtype: DType): number {
  return BYTES[dtype]
}

/** Whether a value is the name of a known dtype. */
export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(BYTES, value)
}

/**
 * The bytes of a tensor, `undefined` where they are no safe integer.
 *
 * @param shape dimensions, each a whole number >= 0
 */
export function tensorBytes(dtype: DType, shape: readonly number[]): number | undefined {
  // A zero dimension makes the tensor empty however large the others are.
  if (shape.includes(0)) return 0
  let bytes = BYTES[dtype]
  for (const dimension of shape) {
    bytes *= dimension
    if (!Number.isSafeInteger(bytes)) return undefined
  }
  return bytes
}

type ViewConstructor<T> = {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
}

function view<T>(bytes: Uint8Array, type: ViewConstructor<T>): T {
  const length = bytes.byteLength / type.BYTES_PER_ELEMENT
  if (!Number.isInteger(length)) {
    throw new RangeError(
      `${bytes.byteLength} bytes are no whole number of ${type.BYTES_PER_ELEMENT}-byte elements`,
    )
  }
  if (bytes.byteOffset % type.BYTES_PER_ELEMENT === 0) return new type(bytes.buffer, bytes.byteOffset, length)
  return new type(bytes.slice().buffer, 0, length)
}

/** Little-endian bytes as 16-bit words; a view where the bytes are aligned, else a copy. */
export function asUint16Array(bytes: Uint8Array): Uint16Array {
  return view(bytes, Uint16Array)
}

/** Little-endian bytes as 32-bit words; a view where the bytes are aligned, else a copy. */
export function asUint32Array(bytes: Uint8Array): Uint32Array {
  return view(bytes, Uint32Array)
}

/** Little-endian bytes as float32; a view where the bytes are aligned, else a copy. */
export function asFloat32Array(bytes: Uint8Array): Float32Array {
  return view(bytes, Float32Array)
}

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The float32 bit pattern of a float16 bit pattern. */
function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13)
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  // Subnormal halves are multiples of 2^-24, which float32 holds exactly.
  float[0] = fraction * 2 ** -24
  return sign | bits[0]!
}

let table: Uint32Array | undefined

/**
 * Converts float16 to float32, exactly (NaN payloads included).
 *
 * @param source float16 bit patterns
 * @param target as long as `source`
 */
export function float16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  // All 65536 results, 256 kB: a lookup is several times faster than the arithmetic.
  table ??= Uint32Array.from({ length: 0x10000 }, (_, half) => float16ToFloat32Bits(half))
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length)
  for (let i = 0; i < source.length; i++) words[i] = table[source[i]!]!
  return target
}

/**
 * Converts float32 to float16, rounding to nearest even (IEEE 754): values from 65520 on become infinity,
 * NaN stays NaN. After Fabian Giesen's `float_to_half_fast3_rtne`.
 *
 * @param target float16 bit patterns, as long as `source`
 */
export function float32ToFloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  const words = new Uint32Array(source.buffer, source.byteOffset, source.length)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const sign = (word >>> 16) & 0x8000
    const magnitude = word & 0x7fffffff
    let half: number
    if (magnitude >= 0x47800000) {
      half = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00
    } else if (magnitude < 0x38800000) {
      // Adding 0.5 leaves the wanted multiple of 2^-24, rounded by the float32 addition, in the low bits.
      bits[0] = magnitude
      float[0] = float[0]! + 0.5
      half = bits[0]! - 0x3f000000
    } else {
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13
    }
    target[i] = sign | half
  }
  return target
}

/**
 * Converts bfloat16 to float32, exactly.
 *
 * @param source bfloat16 bit patterns
 * @param target as long as `source`
 */
export function bfloat16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length)
  for (let i = 0; i < source.length; i++) words[i] = source[i]! << 16
  return target
}

/**
 * Converts float32 to bfloat16, rounding to nearest even; NaN stays NaN.
 *
 * @param target bfloat16 bit patterns, as long as `source`
 */
export function float32ToBfloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  const words = new Uint32Array(source.buffer, source.byteOffset, source.length)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const notANumber = (word & 0x7fffffff) > 0x7f800000
    // Rounding could carry a NaN into infinity, so its quiet bit is set instead.
    target[i] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16
  }
  return target
}

/** The dtypes that {@link toFloat32} reads. */
export type FloatDType = 'F32' | 'F16' | 'BF16'

/**
 * Float bytes of any width as float32. For F32 a view where the bytes are aligned: do not write to it.
 *
 * @param bytes little-endian elements
 */
export function toFloat32(bytes: Uint8Array, dtype: FloatDType): Float32Array {
  if (dtype === 'F32') return asFloat32Array(bytes)
  return dtype === 'F16' ? float16ToFloat32(asUint16Array(bytes)) : bfloat16ToFloat32(asUint16Array(bytes))
}
