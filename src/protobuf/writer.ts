/** Writes fields in Protocol Buffers wire format (https://protobuf.dev/programming-guides/encoding/). */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = []
  #length = 0

  varint(field: number, value: number): this {
    return this.#push(encodeVarint(field << 3), encodeVarint(value))
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    return this.#push(encodeVarint((field << 3) | 5), bytes)
  }

  string(field: number, value: string): this {
    return this.bytes(field, UTF8.encode(value))
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(encodeVarint((field << 3) | 2), encodeVarint(value.length), value)
  }

  message(field: number, message: ProtobufWriter): this {
    return this.bytes(field, message.finish())
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#length)
    let offset = 0
    for (const part of this.#parts) {
      bytes.set(part, offset)
      offset += part.length
    }
    return bytes
  }

  #push(...parts: Uint8Array[]): this {
    for (const part of parts) {
      this.#parts.push(part)
      this.#length += part.length
    }
    return this
  }
}

/** A whole number; a negative one takes ten bytes, as its sign is extended to 64 bits. */
function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128)
  bytes.push(Number(left))
  return Uint8Array.from(bytes)
}

const UTF8 = new TextEncoder()
