import { CheckpointError, SinkError } from '../../errors/index.js'
import type { ByteSink } from '../sinks/byte-sink.js'
import { type ByteSource, checkRange } from '../sources/byte-source.js'
import { dtypeBytes, isDType, tensorBytes } from './dtype.js'
import { isJsonObject, isSize, parseJson } from './json.js'
import {
  checkBytes,
  type TensorDeclaration,
  type TensorFile,
  type TensorLayout,
  type TensorWithBytes,
} from './tensor-file.js'

/** The official shards have 10 kB; a file of 50,000 tensors has 6 MB. */
const MAX_HEADER_BYTES = 8 * 1024 * 1024
const LENGTH_BYTES = 8

interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorLayout & { readonly begin: number }>
  /** The length of all tensors together. */
  readonly dataBytes: number
}

/**
 * Opens a safetensors file: an 8-byte little-endian length, a JSON header of that length, then the tensors
 * without holes (https://github.com/huggingface/safetensors#format). Only the header is read.
 *
 * @throws `checkpoint.truncated` where the file is shorter than its header says
 * @throws `checkpoint.corrupt` where the header contradicts the format, itself or the file's size
 * @throws `checkpoint.unsupported` for dtypes this project does not know
 */
export async function openSafetensors(
  source: ByteSource,
  path: string,
  signal?: AbortSignal,
): Promise<TensorFile> {
  const size = await source.size(path, signal)
  checkRange(source, path, 0, LENGTH_BYTES, size)
  const prefix = await source.read(path, 0, LENGTH_BYTES, signal)
  const headerBytes = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  if (headerBytes > BigInt(MAX_HEADER_BYTES)) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${path} claims a header of ${headerBytes} bytes; no file of tensors has more than ${MAX_HEADER_BYTES}. ` +
        'It is no safetensors file, or damaged.',
    )
  }
  const dataStart = LENGTH_BYTES + Number(headerBytes)
  checkRange(source, path, LENGTH_BYTES, dataStart, size)
  const { tensors, dataBytes } = parseHeader(await source.read(path, LENGTH_BYTES, dataStart, signal), path)
  if (dataStart + dataBytes > size) {
    throw new CheckpointError(
      'checkpoint.truncated',
      `${path} has ${size} bytes, but its header describes ${dataStart + dataBytes}. ` +
        'The file is incomplete: download or write it again.',
    )
  }
  if (dataStart + dataBytes < size) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${path} has ${size} bytes, ${size - dataStart - dataBytes} more than its header describes.`,
    )
  }
  return { path, tensors, offsetOf: async (name) => dataStart + tensors.get(name)!.begin }
}

function parseHeader(bytes: Uint8Array, path: string): SafetensorsHeader {
  const json = parseJson(bytes, `The header of ${path}`)
  if (!isJsonObject(json))
    throw new CheckpointError('checkpoint.corrupt', `The header of ${path} is no JSON object.`)
  const entries: [string, TensorLayout & { begin: number }][] = []
  for (const [name, value] of Object.entries(json)) {
    if (name !== '__metadata__') entries.push([name, parseEntry(name, value, path)])
    else if (!isJsonObject(value) || Object.values(value).some((text) => typeof text !== 'string')) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `__metadata__ in the header of ${path} must map strings to strings.`,
      )
    }
  }
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.byteLength - b.byteLength)
  let end = 0
  for (const [name, { begin, byteLength }] of entries) {
    if (begin !== end) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `${describe(name)} in ${path} begins at byte ${begin} of the data, ${
          begin < end ? 'inside the tensor before it' : 'behind a hole'
        }; byte ${end} is expected.`,
      )
    }
    end += byteLength
  }
  return { tensors: new Map(entries), dataBytes: end }
}

function parseEntry(name: string, value: unknown, path: string): TensorLayout & { begin: number } {
  const corrupt = (what: string) =>
    new CheckpointError('checkpoint.corrupt', `${describe(name)} in ${path} ${what}.`)
  if (!isJsonObject(value)) throw corrupt('has no description')
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string') throw corrupt('has no dtype')
  if (!isDType(dtype)) {
    throw new CheckpointError(
      'checkpoint.unsupported',
      `${describe(name)} in ${path} has the dtype ${dtype.slice(0, 20)}, which is not supported. ` +
        'Convert the checkpoint to F16, BF16 or F32.',
    )
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw corrupt('has a shape that is no list of sizes')
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw corrupt('has data_offsets that are no two offsets')
  }
  const [begin, end] = offsets as [number, number]
  const byteLength = tensorBytes(dtype, shape)
  if (byteLength === undefined || end - begin !== byteLength) {
    throw corrupt(
      `has ${end - begin} bytes (data_offsets ${begin} to ${end}), but its dtype ${dtype} and shape ` +
        `[${shape.slice(0, 8)}] need ${byteLength ?? 'more than 2^53'}`,
    )
  }
  return { dtype, shape, byteLength, begin }
}

function describe(name: string): string {
  return `Tensor ${JSON.stringify(name.slice(0, 200))}`
}

/** The order to write tensors in, and the bytes that come before them. */
export interface SafetensorsPlan {
  /** Length and header, to be followed by the tensors in the order of {@link tensors}. */
  readonly header: Uint8Array
  readonly tensors: readonly (TensorDeclaration & { readonly byteLength: number })[]
  /** The size of the whole file. */
  readonly fileBytes: number
}

/**
 * Lays out a safetensors file. The tensors keep their order, except that those whose length is no multiple of
 * 8 come last, wider dtypes first: then every tensor is aligned, as zero-copy readers want it.
 *
 * @throws `sink.write-order` for a name declared twice or shapes that are none
 */
export function planSafetensors(declarations: readonly TensorDeclaration[]): SafetensorsPlan {
  const sized = declarations.map((declaration) => {
    const byteLength = declaration.shape.every(isSize)
      ? tensorBytes(declaration.dtype, declaration.shape)
      : undefined
    if (byteLength === undefined) {
      throw new SinkError(
        'sink.write-order',
        `${describe(declaration.name)} cannot have the shape [${declaration.shape}].`,
      )
    }
    return { ...declaration, byteLength }
  })
  const isRagged = (tensor: { byteLength: number }) => tensor.byteLength % 8 !== 0
  const tensors = [
    ...sized.filter((tensor) => !isRagged(tensor)),
    ...sized.filter(isRagged).sort((a, b) => dtypeBytes(b.dtype) - dtypeBytes(a.dtype)),
  ]
  // No prototype, so that a tensor may have any name.
  const header: Record<string, unknown> = Object.create(null)
  // Hugging Face's loaders refuse a file that does not say that its tensors are PyTorch's.
  header.__metadata__ = { format: 'pt' }
  let offset = 0
  for (const { name, dtype, shape, byteLength } of tensors) {
    if (name in header)
      throw new SinkError('sink.write-order', `${describe(name)} is declared twice, or its name is reserved.`)
    header[name] = { dtype, shape, data_offsets: [offset, offset + byteLength] }
    offset += byteLength
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(LENGTH_BYTES + Math.ceil(json.byteLength / 8) * 8).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.byteLength - LENGTH_BYTES), true)
  bytes.set(json, LENGTH_BYTES)
  return { header: bytes, tensors, fileBytes: bytes.byteLength + offset }
}

/**
 * Writes a safetensors file of tensors that are in memory, as a prefix is.
 *
 * @throws `checkpoint.tensor-mismatch` where bytes and shape disagree
 * @throws `sink.write-order` for a name given twice
 * @throws `sink.failed` where the destination cannot be written
 */
export async function writeSafetensors(
  sink: ByteSink,
  path: string,
  tensors: readonly TensorWithBytes[],
): Promise<void> {
  checkBytes(tensors)
  const plan = planSafetensors(tensors)
  const bytesOf = new Map(tensors.map(({ name, bytes }) => [name, bytes]))
  const file = await sink.create(path)
  try {
    await file.write(plan.header)
    for (const { name } of plan.tensors) await file.write(bytesOf.get(name)!)
    await file.commit()
  } catch (error) {
    await file.abort()
    throw error
  }
}
