/** Wire types of Protocol Buffers; groups (3 and 4) have been deprecated since proto2. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

const WIRE_TYPE_NAMES: Record<number, string> = { 0: 'varint', 1: 'fixed64', 2: 'bytes', 5: 'fixed32' }
const MAX_VARINT_BYTES = 10

/** The error of malformed input. @param expected with the place: "text in UTF-8 at byte 7" */
export type ProtobufFailure = (expected: string, found: string) => Error

/**
 * Reads Protocol Buffers wire format (https://protobuf.dev/programming-guides/encoding/) from a byte range
 * that is checked before every access. Nothing is copied or allocated by a length found in the file.
 *
 * Every method throws the error of its owner at malformed input.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #failure: ProtobufFailure
  readonly #end: number
  #position: number
  #high = 0

  constructor(
    bytes: Uint8Array,
    failure: ProtobufFailure,
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    start = 0,
    end = bytes.length,
  ) {
    this.#bytes = bytes
    this.#view = view
    this.#failure = failure
    this.#position = start
    this.#end = end
  }

  /** The next field's number and wire type, or `undefined` at the end of the message. */
  nextField(): { field: number; wireType: number } | undefined {
    if (this.#position === this.#end) return undefined
    const start = this.#position
    const tag = this.#varint()
    const field = tag >>> 3
    const wireType = tag & 7
    if (this.#high !== 0 || field === 0) this.#fail(start, 'a field number below 2^29', 'none')
    if (!(wireType in WIRE_TYPE_NAMES)) this.#fail(start, 'a known wire type', `wire type ${wireType}`)
    return { field, wireType }
  }

  skip(wireType: number): void {
    if (wireType === WireType.varint) this.#varint()
    else if (wireType === WireType.fixed64) this.#take(8)
    else if (wireType === WireType.fixed32) this.#take(4)
    else this.#take(this.#length())
  }

  int32(wireType: number): number {
    this.#expect(wireType, WireType.varint)
    // A negative int32 is written as 64 bits, and the standard says to keep the lowest 32.
    return this.#varint()
  }

  /** A whole number of 64 bits that JavaScript holds exactly. */
  int64(wireType: number): number {
    this.#expect(wireType, WireType.varint)
    return this.#safeInteger()
  }

  /** Numbers of 64 bits of a repeated field: one where they are not packed. */
  int64s(wireType: number): number[] {
    if (wireType === WireType.varint) return [this.#safeInteger()]
    const packed = this.message(wireType)
    const values: number[] = []
    while (packed.#position < packed.#end) values.push(packed.#safeInteger())
    return values
  }

  bool(wireType: number): boolean {
    this.#expect(wireType, WireType.varint)
    return this.#varint() !== 0 || this.#high !== 0
  }

  float(wireType: number): number {
    this.#expect(wireType, WireType.fixed32)
    return this.#view.getFloat32(this.#take(4), true)
  }

  bytes(wireType: number): Uint8Array {
    this.#expect(wireType, WireType.bytes)
    const start = this.#take(this.#length())
    return this.#bytes.subarray(start, this.#position)
  }

  string(wireType: number): string {
    const start = this.#position
    const bytes = this.bytes(wireType)
    try {
      return UTF8.decode(bytes)
    } catch {
      return this.#fail(start, 'text in UTF-8', 'other bytes')
    }
  }

  /** A reader of the nested message that stands here. */
  message(wireType: number): ProtobufReader {
    this.#expect(wireType, WireType.bytes)
    const start = this.#take(this.#length())
    return new ProtobufReader(this.#bytes, this.#failure, this.#view, start, this.#position)
  }

  /** The lower half of a varint as a signed number; the upper half is then in `#high`. */
  #varint(): number {
    const start = this.#position
    let low = 0
    let high = 0
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.#take(1)]
      const bits = byte & 0x7f
      const shift = 7 * i
      if (shift < 32) low |= bits << shift
      if (shift === 28) high |= bits >> 4
      else if (shift > 32) high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.#high = high
        return low
      }
    }
    return this.#fail(start, `a varint of at most ${MAX_VARINT_BYTES} bytes`, 'a longer one')
  }

  #safeInteger(): number {
    const start = this.#position
    const low = this.#varint()
    const value = this.#high * 2 ** 32 + (low >>> 0)
    if (!Number.isSafeInteger(value)) this.#fail(start, 'a whole number below 2^53', 'a greater one')
    return value
  }

  #length(): number {
    const start = this.#position
    const length = this.#varint()
    const left = this.#end - this.#position
    if (this.#high !== 0 || length < 0 || length > left) {
      this.#fail(start, `a length of at most the ${left} bytes that are left`, 'a greater one')
    }
    return length
  }

  /** Moves over `count` bytes and returns where they start. */
  #take(count: number): number {
    const start = this.#position
    if (count > this.#end - start) this.#fail(start, `${count} more bytes`, `${this.#end - start}`)
    this.#position = start + count
    return start
  }

  #expect(found: number, expected: number): void {
    if (found === expected) return
    this.#fail(
      this.#position,
      `a field of wire type ${WIRE_TYPE_NAMES[expected]}`,
      `wire type ${WIRE_TYPE_NAMES[found]}`,
    )
  }

  #fail(offset: number, expected: string, found: string): never {
    throw this.#failure(`${expected} at byte ${offset}`, found)
  }
}

/** Pieces may start with U+FEFF, which a decoder would otherwise drop as a byte order mark. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
