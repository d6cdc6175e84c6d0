import { fileURLToPath } from 'node:url'
import { type GgufWritable, planGguf } from './formats/gguf-writer.js'
import { planSafetensors } from './formats/safetensors.js'
import type { StoredDeclaration, TensorWithBytes } from './formats/tensor-file.js'
import { FolderSource } from './node/folder-source.js'
import { MemoryFiles } from './sinks/memory-files.js'
import { type ByteSource, readFile } from './sources/byte-source.js'

/** The checked-in checkpoints. */
export const FIXTURES = fileURLToPath(
  new URL(/* @vite-ignore */ '../../test/fixtures/checkpoint/', import.meta.url),
)

/** The folder of outputs of the reference implementation, where this machine has it. */
export const GOLDEN = process.env.CHATGLM_GOLDEN

export async function fixture(name: string): Promise<Uint8Array> {
  return readFile(await FolderSource.open(FIXTURES), name, 2 ** 20)
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value))
}

export function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}

/** The bytes of a safetensors file with an arbitrary header. */
export function safetensorsBytes(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = typeof header === 'string' ? utf8(header) : json(header)
  const bytes = new Uint8Array(8 + text.byteLength + data.byteLength)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.byteLength), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.byteLength)
  return bytes
}

/** The bytes of a valid safetensors file. */
export function safetensorsFile(tensors: readonly TensorWithBytes[]): Uint8Array {
  const plan = planSafetensors(tensors)
  const file = new Uint8Array(plan.fileBytes)
  file.set(plan.header)
  let offset = plan.header.byteLength
  for (const { name, byteLength } of plan.tensors) {
    file.set(tensors.find((tensor) => tensor.name === name)!.bytes, offset)
    offset += byteLength
  }
  return file
}

/** The bytes of a valid GGUF file. */
export function ggufFile(
  metadata: Readonly<Record<string, GgufWritable>>,
  tensors: readonly (StoredDeclaration & { readonly bytes: Uint8Array })[],
): Uint8Array {
  const plan = planGguf(metadata, tensors)
  const file = new Uint8Array(plan.fileBytes)
  file.set(plan.header)
  let offset = plan.header.byteLength
  for (const [i, { byteLength, padding }] of plan.tensors.entries()) {
    file.set(tensors[i]!.bytes, offset)
    offset += byteLength + padding
  }
  return file
}

/** A source that counts what is read from it. */
export class CountingSource implements ByteSource {
  readonly name = 'counted'
  largest = 0
  total = 0

  constructor(private readonly inner: ByteSource) {}

  list = () => this.inner.list()
  has = (path: string) => this.inner.has(path)
  size = (path: string) => this.inner.size(path)

  read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    this.largest = Math.max(this.largest, end - start)
    this.total += end - start
    return this.inner.read(path, start, end, signal)
  }
}

export function memory(files: Readonly<Record<string, Uint8Array>>): MemoryFiles {
  return new MemoryFiles(Object.entries(files))
}
