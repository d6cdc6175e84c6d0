import { CheckpointError } from '../../errors/index.js'
import type { ByteSource } from '../sources/byte-source.js'
import { ggmlType, ggmlTypeName, storedBytes } from './ggml-types.js'
import { EndOfBytes, GgufCursor, type GgufValue, MalformedGguf } from './gguf-cursor.js'
import type { TensorFile, TensorLayout } from './tensor-file.js'

/** "GGUF", read as a little-endian number. */
export const GGUF_MAGIC = 0x46554747
/** Of the tensors' data, where the metadata does not give another one. */
export const DEFAULT_ALIGNMENT = 32

/** A header has 3 MB with ChatGLM3's vocabulary, 10 MB with a larger one and its merges. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024
/** What is read first: all of a header without a vocabulary. */
const FIRST_BYTES = 256 * 1024
/** How much more is read where the header goes on: a few requests reach the end of any. */
const GROWTH = 8
/** Files have some 30 keys, and a thousand tensors. */
const MAX_ENTRIES = 2 ** 16
/** The format's limit. */
const MAX_DIMENSIONS = 4
const MAX_ALIGNMENT = 2 ** 20

/** The keys and values before the tensors of a GGUF file. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>

/** A GGUF file whose header has been read and checked. */
export interface GgufFile extends TensorFile {
  readonly metadata: GgufMetadata
}

interface GgufHeader {
  readonly metadata: GgufMetadata
  readonly tensors: ReadonlyMap<string, TensorLayout & { readonly begin: number }>
  readonly dataStart: number
}

/**
 * Opens a GGUF file of version 2 or 3: keys and values, a directory of tensors, then their data
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Only the header is read. Shapes are given as everywhere
 * in this project, the rows first; the file has them the other way round.
 *
 * @throws `checkpoint.truncated` where the file is shorter than its header says
 * @throws `checkpoint.corrupt` where the header contradicts the format, itself or the file's size
 * @throws `checkpoint.unsupported` for other versions, big-endian files, and types of ggml that are not read
 */
export async function openGguf(source: ByteSource, path: string, signal?: AbortSignal): Promise<GgufFile> {
  const size = await source.size(path, signal)
  let bytes = await source.read(path, 0, Math.min(size, FIRST_BYTES), signal)
  let header = parseHeader(bytes, path)
  while (!header) {
    if (bytes.byteLength === size) {
      throw new CheckpointError(
        'checkpoint.truncated',
        `${path} has ${size} bytes and ends within its header. The file is incomplete: download it again.`,
      )
    }
    if (bytes.byteLength >= MAX_HEADER_BYTES) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `${path} has a header of more than ${MAX_HEADER_BYTES} bytes.`,
      )
    }
    const end = Math.min(size, MAX_HEADER_BYTES, bytes.byteLength * GROWTH)
    const more = await source.read(path, bytes.byteLength, end, signal)
    const whole = new Uint8Array(end)
    whole.set(bytes)
    whole.set(more, bytes.byteLength)
    bytes = whole
    header = parseHeader(bytes, path)
  }
  const { metadata, tensors, dataStart } = header
  checkExtents(header, path, size)
  return { path, metadata, tensors, offsetOf: async (name) => dataStart + tensors.get(name)!.begin }
}

/** The header at the beginning of a file; undefined where these bytes end before it does. */
function parseHeader(bytes: Uint8Array, path: string): GgufHeader | undefined {
  try {
    return readHeader(new GgufCursor(bytes), path)
  } catch (error) {
    if (error instanceof EndOfBytes) return undefined
    if (!(error instanceof MalformedGguf)) throw error
    throw new CheckpointError(
      'checkpoint.corrupt',
      `The header of ${path} ${error.message}. The file is damaged: download it again.`,
    )
  }
}

function readHeader(cursor: GgufCursor, path: string): GgufHeader {
  if (cursor.uint32() !== GGUF_MAGIC) {
    throw new CheckpointError('checkpoint.corrupt', `${path} is no GGUF file: it does not begin with "GGUF".`)
  }
  const version = cursor.uint32()
  if (version !== 2 && version !== 3) {
    throw new CheckpointError(
      'checkpoint.unsupported',
      `${path} has the version ${version} of GGUF${version & 0xffff ? '' : ', or is big-endian'}; 2 and 3 in ` +
        "little-endian are read. Write it anew with a current version of llama.cpp's tools.",
    )
  }
  const tensorCount = entries(cursor.size('the number of tensors'), 'tensors')
  const keyCount = entries(cursor.size('the number of keys'), 'keys')
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.string('a key')
    if (metadata.has(key)) throw new MalformedGguf(`gives the key ${shown(key)} twice`)
    metadata.set(key, cursor.value(shown(key)))
  }
  const alignment = alignmentOf(metadata)
  const tensors = new Map<string, TensorLayout & { begin: number }>()
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.string("a tensor's name")
    if (tensors.has(name)) throw new MalformedGguf(`has two tensors ${shown(name)}`)
    const tensor = readTensor(cursor, name, path)
    if (tensor.begin % alignment !== 0)
      throw new MalformedGguf(`places tensor ${shown(name)} between alignments`)
    tensors.set(name, tensor)
  }
  return { metadata, tensors, dataStart: Math.ceil(cursor.position / alignment) * alignment }
}

function entries(count: number, what: string): number {
  if (count > MAX_ENTRIES) throw new MalformedGguf(`announces ${count} ${what}`)
  return count
}

function alignmentOf(metadata: GgufMetadata): number {
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT
  if (
    typeof alignment === 'number' &&
    Number.isInteger(alignment) &&
    alignment > 0 &&
    alignment <= MAX_ALIGNMENT &&
    alignment % 8 === 0
  ) {
    return alignment
  }
  throw new MalformedGguf('has a general.alignment that is no multiple of 8')
}

function readTensor(cursor: GgufCursor, name: string, path: string): TensorLayout & { begin: number } {
  const dimensions = cursor.uint32()
  if (dimensions > MAX_DIMENSIONS) throw new MalformedGguf(`gives ${shown(name)} ${dimensions} dimensions`)
  const shape = Array.from({ length: dimensions }, () =>
    cursor.size(`a dimension of ${shown(name)}`),
  ).reverse()
  const number = cursor.uint32()
  const begin = cursor.size(`the offset of ${shown(name)}`)
  const dtype = ggmlType(number)
  if (dtype === undefined) {
    throw new CheckpointError(
      'checkpoint.unsupported',
      `Tensor ${shown(name)} in ${path} has ggml's type ${ggmlTypeName(number)}, which is not read. Use a file in F16, ` +
        'Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 or one of Q2_K to Q6_K.',
    )
  }
  const byteLength = storedBytes(dtype, shape)
  if (byteLength === undefined) {
    throw new MalformedGguf(`gives ${shown(name)} the shape [${shape}], which ${dtype} cannot have`)
  }
  return { dtype, shape, byteLength, begin }
}

/** Checks that tensors lie in the file, and none within another. */
function checkExtents({ tensors, dataStart }: GgufHeader, path: string, size: number): void {
  let end = 0
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.byteLength - b.byteLength)
  for (const [name, { begin, byteLength }] of inOrder) {
    if (begin < end && byteLength > 0) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `Tensor ${shown(name)} in ${path} begins inside the tensor before it. Download the file again.`,
      )
    }
    end = Math.max(end, begin + byteLength)
  }
  if (dataStart + end > size && tensors.size > 0) {
    throw new CheckpointError(
      'checkpoint.truncated',
      `${path} has ${size} bytes, but its header describes ${dataStart + end}. ` +
        'The file is incomplete: download or write it again.',
    )
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
