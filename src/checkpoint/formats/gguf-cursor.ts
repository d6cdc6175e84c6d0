/** A value of a GGUF file's metadata. Numbers of 64 bits beyond 2^53 are bigints; lists of numbers are typed arrays. */
export type GgufValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array
  | readonly string[]
  | readonly GgufValue[]

/** The bytes end before what is read does. */
export class EndOfBytes extends Error {}

/** What is read contradicts the format; the message completes "the header ...". */
export class MalformedGguf extends Error {}

/** Lists in lists; files have none at all. */
const MAX_DEPTH = 4
/** Texts and lists that lists may have in all. The vocabulary of GLM-4, with its merges, has 470,000. */
const MAX_ITEMS = 2 ** 21

const STRING = 8
const ARRAY = 9
const BOOL = 7
/** Types of numbers by the format's number of them: bytes of an element, how one is read, and lists of them. */
const NUMBERS: Readonly<
  Record<
    number,
    {
      readonly bytes: number
      readonly get: (view: DataView, at: number) => number | bigint
      readonly list: new (buffer: ArrayBuffer) => Exclude<GgufValue, number | bigint | boolean | string>
    }
  >
> = {
  0: { bytes: 1, get: (view, at) => view.getUint8(at), list: Uint8Array },
  1: { bytes: 1, get: (view, at) => view.getInt8(at), list: Int8Array },
  2: { bytes: 2, get: (view, at) => view.getUint16(at, true), list: Uint16Array },
  3: { bytes: 2, get: (view, at) => view.getInt16(at, true), list: Int16Array },
  4: { bytes: 4, get: (view, at) => view.getUint32(at, true), list: Uint32Array },
  5: { bytes: 4, get: (view, at) => view.getInt32(at, true), list: Int32Array },
  6: { bytes: 4, get: (view, at) => view.getFloat32(at, true), list: Float32Array },
  10: { bytes: 8, get: (view, at) => view.getBigUint64(at, true), list: BigUint64Array },
  11: { bytes: 8, get: (view, at) => view.getBigInt64(at, true), list: BigInt64Array },
  12: { bytes: 8, get: (view, at) => view.getFloat64(at, true), list: Float64Array },
}

/** Tokens may begin with U+FEFF, which a decoder would otherwise drop as a byte order mark. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads the parts of a GGUF header from bytes at the beginning of the file. Every length is compared with the bytes
 * that are there before anything is allocated for it.
 *
 * Every method throws {@link EndOfBytes} or {@link MalformedGguf}.
 */
export class GgufCursor {
  position = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #items = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  /** A number of 64 bits that counts or measures something: at most 2^53 - 1. */
  size(what: string): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true))
    if (!Number.isSafeInteger(value)) throw new MalformedGguf(`gives ${value} as ${what}`)
    return value
  }

  string(what: string): string {
    const length = this.size(`the length of ${what}`)
    const start = this.#take(length)
    try {
      return UTF8.decode(this.#bytes.subarray(start, start + length))
    } catch {
      throw new MalformedGguf(`has ${what} that is not UTF-8`)
    }
  }

  /** A value with its type before it. */
  value(key: string): GgufValue {
    return this.#valueOf(this.uint32(), key, 0)
  }

  #valueOf(type: number, key: string, depth: number): GgufValue {
    if (type === STRING) return this.string(`the value of ${key}`)
    if (type === ARRAY) return this.#list(key, depth)
    if (type === BOOL) return this.#view.getUint8(this.#take(1)) !== 0
    const kind = this.#numbers(type, key)
    const value = kind.get(this.#view, this.#take(kind.bytes))
    return typeof value === 'bigint' && BigInt(Number(value)) === value && Number.isSafeInteger(Number(value))
      ? Number(value)
      : value
  }

  #list(key: string, depth: number): GgufValue {
    if (depth === MAX_DEPTH) throw new MalformedGguf(`has more than ${MAX_DEPTH} lists in lists in ${key}`)
    const type = this.uint32()
    const count = this.size(`the length of ${key}`)
    if (type !== STRING && type !== ARRAY) {
      const { bytes, list } = type === BOOL ? NUMBERS[0]! : this.#numbers(type, key)
      const start = this.#take(count * bytes)
      return new list(new Uint8Array(this.#bytes.subarray(start, start + count * bytes)).buffer)
    }
    const values: GgufValue[] = []
    for (let i = 0; i < count; i++) {
      if (++this.#items > MAX_ITEMS) throw new MalformedGguf(`has more than ${MAX_ITEMS} texts in lists`)
      values.push(type === STRING ? this.string(`a text of ${key}`) : this.#list(key, depth + 1))
    }
    return values
  }

  #numbers(type: number, key: string) {
    const kind = Object.hasOwn(NUMBERS, type) ? NUMBERS[type] : undefined
    if (!kind) throw new MalformedGguf(`has a value of the unknown type ${type} in ${key}`)
    return kind
  }

  #take(count: number): number {
    const start = this.position
    if (!(count <= this.#bytes.byteLength - start)) throw new EndOfBytes()
    this.position = start + count
    return start
  }
}
