import { SinkError } from '../../errors/index.js'
import { ggmlNumber, storedBytes } from './ggml-types.js'
import { DEFAULT_ALIGNMENT, GGUF_MAGIC } from './gguf.js'
import type { CheckpointLayout } from './shards.js'
import type { StoredDeclaration } from './tensor-file.js'

/** A value to be written, with its type in the file. */
export type GgufWritable =
  | { readonly uint32: number }
  | { readonly float32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly float32s: Float32Array }
  | { readonly int32s: Int32Array }

/** What comes before the tensors of a file, and where they lie. */
export interface GgufPlan {
  /** Everything before the first tensor. */
  readonly header: Uint8Array
  /** In the order of the file; each is followed by `padding` bytes. */
  readonly tensors: readonly (StoredDeclaration & { readonly byteLength: number; readonly padding: number })[]
  /** The size of the whole file. */
  readonly fileBytes: number
}

const UTF8 = new TextEncoder()

/**
 * Lays out a GGUF file of version 3, little-endian, with the usual alignment of 32.
 *
 * @throws `sink.write-order` for a name declared twice, and for a type or shape that the format lacks
 */
export function planGguf(
  metadata: Readonly<Record<string, GgufWritable>>,
  declarations: readonly StoredDeclaration[],
): GgufPlan {
  const names = new Set(declarations.map(({ name }) => name))
  if (names.size !== declarations.length)
    throw new SinkError('sink.write-order', 'A tensor is declared twice.')
  const out = new GgufEncoder()
  const keys = Object.entries(metadata)
  out.uint32(GGUF_MAGIC).uint32(3).size(declarations.length).size(keys.length)
  for (const [key, value] of keys) out.string(key).value(value)
  let offset = 0
  const tensors = declarations.map((declaration) => {
    const { name, dtype, shape } = declaration
    const [number, byteLength] = [ggmlNumber(dtype), storedBytes(dtype, shape)]
    if (number === undefined || byteLength === undefined) {
      throw new SinkError(
        'sink.write-order',
        `GGUF has no tensor of type ${dtype} and shape [${shape}] (${name}).`,
      )
    }
    out.string(name).uint32(shape.length)
    for (const size of [...shape].reverse()) out.size(size)
    out.uint32(number).size(offset)
    const padding = paddingAfter(byteLength)
    offset += byteLength + padding
    return { ...declaration, byteLength, padding }
  })
  const header = out.finish(paddingAfter(out.length))
  return { header, tensors, fileBytes: header.byteLength + offset }
}

/** All tensors in one GGUF file, with its metadata before them. */
export function ggufLayout(file: string, metadata: Readonly<Record<string, GgufWritable>>): CheckpointLayout {
  return {
    plan(declarations) {
      const { header, tensors, fileBytes } = planGguf(metadata, declarations)
      let end = header.byteLength
      const offsets = tensors.map(({ byteLength, padding }) => {
        const begin = end
        end += byteLength + padding
        return begin
      })
      const byteLength = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0)
      return [{ shard: { file, tensors, byteLength }, header, offsets, fileBytes }]
    },
  }
}

function paddingAfter(length: number): number {
  return Math.ceil(length / DEFAULT_ALIGNMENT) * DEFAULT_ALIGNMENT - length
}

/** Puts the parts of a header together. */
class GgufEncoder {
  readonly #parts: Uint8Array[] = []
  length = 0

  uint32(value: number): this {
    return this.#scalar(4, (view) => view.setUint32(0, value, true))
  }

  size(value: number): this {
    return this.#scalar(8, (view) => view.setBigUint64(0, BigInt(value), true))
  }

  string(value: string): this {
    const bytes = UTF8.encode(value)
    return this.size(bytes.byteLength).#push(bytes)
  }

  /** A value with its type before it. */
  value(value: GgufWritable): this {
    if ('uint32' in value) return this.uint32(4).uint32(value.uint32)
    if ('float32' in value) {
      return this.uint32(6).#scalar(4, (view) => view.setFloat32(0, value.float32, true))
    }
    if ('bool' in value) return this.uint32(7).#scalar(1, (view) => view.setUint8(0, Number(value.bool)))
    if ('string' in value) return this.uint32(8).string(value.string)
    if ('strings' in value) {
      this.uint32(9).uint32(8).size(value.strings.length)
      for (const text of value.strings) this.string(text)
      return this
    }
    const [type, numbers] = 'float32s' in value ? [6, value.float32s] : [5, value.int32s]
    this.uint32(9).uint32(type).size(numbers.length)
    return this.#push(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
  }

  finish(padding: number): Uint8Array {
    const bytes = new Uint8Array(this.length + padding)
    let offset = 0
    for (const part of this.#parts) {
      bytes.set(part, offset)
      offset += part.byteLength
    }
    return bytes
  }

  #scalar(byteLength: number, set: (view: DataView) => void): this {
    const bytes = new Uint8Array(byteLength)
    set(new DataView(bytes.buffer))
    return this.#push(bytes)
  }

  #push(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    this.length += bytes.byteLength
    return this
  }
}
