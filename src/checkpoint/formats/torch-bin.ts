import { Reader, ZipReader } from '@zip.js/zip.js/lib/zip-core-custom.js'
import { ChatGLMError, CheckpointError } from '../../errors/index.js'
import { isAbort, messageOf } from '../errors.js'
import type { ByteSource } from '../sources/byte-source.js'
import type { TensorFile } from './tensor-file.js'
import { readStateDict, type TorchTensor } from './torch-pickle.js'

/** The pickle of an official shard has 5 kB, that of a large model less than 1 MB. */
const MAX_PICKLE_BYTES = 8 * 1024 * 1024
/** The zip directory has about 100 bytes a storage. */
const MAX_DIRECTORY_BYTES = 8 * 1024 * 1024

const LOCAL_HEADER_BYTES = 30
const LOCAL_HEADER_SIGNATURE = 0x04034b50

/** A stored (uncompressed) entry of the archive. */
interface ArchiveEntry {
  readonly name: string
  /** Where its local header begins in the file. */
  readonly headerOffset: number
  readonly byteLength: number
}

/**
 * Opens a torch checkpoint: a zip archive of stored entries with a pickle `NAME/data.pkl` and the bytes of each
 * storage in `NAME/data/KEY` (`torch/serialization.py`, since torch 1.6). Only the directory and the pickle
 * are read; tensors are read from where they lie.
 *
 * @throws `checkpoint.unsupported` for the older format without zip, compressed entries, big-endian data,
 * tensors that are not contiguous
 * @throws `checkpoint.unsafe-pickle` where the pickle wants more than tensors
 * @throws `checkpoint.corrupt` where the archive contradicts itself
 */
export async function openTorchBin(
  source: ByteSource,
  path: string,
  signal?: AbortSignal,
): Promise<TensorFile> {
  const size = await source.size(path, signal)
  const magic = await source.read(path, 0, Math.min(4, size), signal)
  if (magic[0] !== 0x50 || magic[1] !== 0x4b) throw notZip(path, magic)
  const records = await readDirectory(source, path, size, signal)
  const { prefix, pickle } = findPickle(records, path)
  const dataStarts = new Map<ArchiveEntry, Promise<number>>()
  const dataStart = (record: ArchiveEntry) => {
    let start = dataStarts.get(record)
    if (start === undefined) {
      start = locateData(source, path, record, size, signal)
      start.catch(() => dataStarts.delete(record))
      dataStarts.set(record, start)
    }
    return start
  }

  const byteorder = records.get(`${prefix}byteorder`)
  if (byteorder !== undefined) {
    const start = await dataStart(byteorder)
    const text = new TextDecoder().decode(
      await source.read(path, start, start + Math.min(byteorder.byteLength, 8), signal),
    )
    if (text !== 'little') {
      throw new CheckpointError(
        'checkpoint.unsupported',
        `${path} has the byte order ${JSON.stringify(text)}. Save it again on a little-endian machine.`,
      )
    }
  }
  if (pickle.byteLength > MAX_PICKLE_BYTES) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${path} has a pickle of ${pickle.byteLength} bytes, too long for a state dict.`,
    )
  }
  const pickleStart = await dataStart(pickle)
  const bytes = await source.read(path, pickleStart, pickleStart + pickle.byteLength, signal)
  const tensors = readStateDict(bytes, `The pickle of ${path}`)
  const storages = new Map<TorchTensor, ArchiveEntry>()
  for (const [name, tensor] of tensors) {
    const record = records.get(`${prefix}data/${tensor.storage.key}`)
    if (record?.byteLength !== tensor.storage.byteLength) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `Tensor ${JSON.stringify(name.slice(0, 200))} in ${path} needs a storage of ${tensor.storage.byteLength} bytes, ` +
          `but the archive has ${record === undefined ? 'none of its name' : `one of ${record.byteLength}`}.`,
      )
    }
    storages.set(tensor, record)
  }
  return {
    path,
    tensors,
    offsetOf: async (name) => {
      const tensor = tensors.get(name)!
      return (await dataStart(storages.get(tensor)!)) + tensor.byteOffset
    },
  }
}

function notZip(path: string, magic: Uint8Array): CheckpointError {
  // Before torch 1.6 a file was a row of pickles, each of which begins with PROTO.
  if (magic[0] === 0x80) {
    return new CheckpointError(
      'checkpoint.unsupported',
      `${path} has torch's format from before version 1.6. Save it again with a newer torch: ` +
        'torch.save(torch.load(path, map_location="cpu"), path).',
    )
  }
  return new CheckpointError(
    'checkpoint.corrupt',
    `${path} is no torch checkpoint: it does not begin as a zip archive. Download it again.`,
  )
}

async function readDirectory(
  source: ByteSource,
  path: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ArchiveEntry>> {
  const records = new Map<string, ArchiveEntry>()
  try {
    const zip = new ZipReader(new RangeReader(source, path, size, signal))
    for await (const entry of zip.getEntriesGenerator()) {
      if (entry.directory) continue
      if (
        entry.compressionMethod !== 0 ||
        entry.encrypted ||
        entry.compressedSize !== entry.uncompressedSize
      ) {
        throw new CheckpointError(
          'checkpoint.unsupported',
          `${path} has a compressed or encrypted entry ${JSON.stringify(entry.filename)}; torch stores them as they are. ` +
            'Save the checkpoint again with torch.save.',
        )
      }
      if (records.has(entry.filename)) {
        throw new CheckpointError(
          'checkpoint.corrupt',
          `${path} has two entries ${JSON.stringify(entry.filename)}.`,
        )
      }
      records.set(entry.filename, {
        name: entry.filename,
        headerOffset: entry.offset,
        byteLength: entry.uncompressedSize,
      })
    }
  } catch (error) {
    if (error instanceof ChatGLMError || isAbort(error, signal)) throw error
    throw new CheckpointError(
      'checkpoint.corrupt',
      `The zip directory of ${path} cannot be read: ${messageOf(error)}. The file is incomplete or damaged: ` +
        'download it again.',
      { cause: error },
    )
  }
  return records
}

function findPickle(
  records: ReadonlyMap<string, ArchiveEntry>,
  path: string,
): { prefix: string; pickle: ArchiveEntry } {
  const pickles = [...records.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name))
  const [pickle] = pickles
  if (pickle === undefined || pickles.length > 1) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${path} is a zip archive, but no torch checkpoint: it has ${pickles.length} entries "NAME/data.pkl" instead of one.`,
    )
  }
  return { prefix: pickle.name.slice(0, -'data.pkl'.length), pickle }
}

/**
 * Where a stored entry's bytes begin: behind its local header, whose name and extra field have lengths of their
 * own (APPNOTE.TXT 4.3.7), as torch pads the extra field to align the data.
 */
async function locateData(
  source: ByteSource,
  path: string,
  { name, headerOffset, byteLength }: ArchiveEntry,
  size: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const corrupt = (what: string) =>
    new CheckpointError(
      'checkpoint.corrupt',
      `The entry ${JSON.stringify(name)} of ${path} ${what}. Download the file again.`,
    )
  const headerEnd = headerOffset + LOCAL_HEADER_BYTES
  if (!Number.isSafeInteger(headerOffset) || headerOffset < 0 || headerEnd > size) {
    throw corrupt('lies outside the file')
  }
  const bytes = await source.read(path, headerOffset, headerEnd, signal)
  const header = new DataView(bytes.buffer, bytes.byteOffset, LOCAL_HEADER_BYTES)
  if (header.getUint32(0, true) !== LOCAL_HEADER_SIGNATURE) throw corrupt('has no local header')
  if (header.getUint16(8, true) !== 0) throw corrupt('is compressed, although the directory says it is not')
  const start = headerEnd + header.getUint16(26, true) + header.getUint16(28, true)
  if (!(start + byteLength <= size)) throw corrupt('ends outside the file')
  return start
}

/** Lets the zip library read ranges, and no more of them than a directory needs. */
class RangeReader extends Reader<undefined> {
  readonly #source: ByteSource
  readonly #path: string
  readonly #signal: AbortSignal | undefined

  constructor(source: ByteSource, path: string, size: number, signal: AbortSignal | undefined) {
    super(undefined)
    this.#source = source
    this.#path = path
    this.#signal = signal
    this.size = size
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    if (!(index >= 0 && index <= this.size && length >= 0)) throw new Error('it points outside the file')
    const end = Math.min(index + length, this.size)
    if (end - index > MAX_DIRECTORY_BYTES) throw new Error(`it claims more than ${MAX_DIRECTORY_BYTES} bytes`)
    return this.#source.read(this.#path, index, end, this.#signal)
  }
}
