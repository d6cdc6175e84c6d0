import { ZipWriter } from '@zip.js/zip.js/lib/zip-core-custom.js'
import { CheckpointError, SinkError } from '../../errors/index.js'
import type { ByteSink } from '../sinks/byte-sink.js'
import type { DType } from './dtype.js'
import { checkBytes, type TensorDeclaration, type TensorWithBytes } from './tensor-file.js'

/** What torch calls the storage of a dtype; U32 has no such class. */
const STORAGE_CLASSES: Readonly<Partial<Record<DType, string>>> = {
  F64: 'DoubleStorage',
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  I8: 'CharStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
}

/** The folder inside the archive; torch takes whatever name it finds. */
const ARCHIVE = 'archive'
/** Storages begin at multiples of this, so that a loader can map them into memory (`caffe2/serialize`). */
const ALIGNMENT = 64
/** The extra field that torch pads with: "FB". */
const PADDING_FIELD = 0x4246
const LOCAL_HEADER_BYTES = 30
const EXTRA_FIELD_HEADER_BYTES = 4
const STREAM_CHUNK_BYTES = 1024 * 1024

/**
 * Writes a state dict as `torch.save` does since torch 1.6: `torch.load(path, weights_only=True)` gives a dict
 * from names to contiguous tensors.
 *
 * @throws `checkpoint.tensor-mismatch` where bytes and shape disagree
 * @throws `checkpoint.unsupported` for a dtype that torch's storages lack
 * @throws `sink.failed` where the destination cannot be written
 */
export async function writeTorchBin(
  sink: ByteSink,
  path: string,
  tensors: readonly TensorWithBytes[],
  signal?: AbortSignal,
): Promise<void> {
  checkBytes(tensors)
  const pickle = pickleStateDict(tensors)
  const text = (value: string) => new TextEncoder().encode(value)
  const file = await sink.create(path)
  try {
    let written = 0
    const zip = new ZipWriter(
      new WritableStream<Uint8Array>({
        write: async (chunk) => {
          await file.write(chunk)
          written += chunk.byteLength
        },
      }),
    )
    const add = async (name: string, bytes: Uint8Array) => {
      const entry = `${ARCHIVE}/${name}`
      const unpadded = written + LOCAL_HEADER_BYTES + entry.length + EXTRA_FIELD_HEADER_BYTES
      const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT
      await zip.add(entry, streamOf(bytes), {
        level: 0,
        // Torch writes the sizes after the data as well: the checksum is not known before.
        dataDescriptor: true,
        zip64: bytes.byteLength >= 2 ** 32 - 1,
        uncompressedSize: bytes.byteLength,
        useWebWorkers: false,
        extendedTimestamp: false,
        lastModDate: new Date(1980, 0, 1),
        extraField: new Map([[PADDING_FIELD, new Uint8Array(padding).fill(0x5a)]]),
        ...(signal === undefined ? {} : { signal }),
      })
    }
    await add('data.pkl', pickle)
    await add('byteorder', text('little'))
    for (const [i, { bytes }] of tensors.entries()) await add(`data/${i}`, bytes)
    await add('version', text('3\n'))
    await zip.close()
    signal?.throwIfAborted()
    await file.commit()
  } catch (error) {
    await file.abort()
    throw error
  }
}

/** Bytes as a stream of views, so that the zip library makes no copy of a whole tensor. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let offset = 0
  return new ReadableStream({
    pull(controller) {
      if (offset === bytes.byteLength) return controller.close()
      controller.enqueue(bytes.subarray(offset, offset + STREAM_CHUNK_BYTES))
      offset = Math.min(offset + STREAM_CHUNK_BYTES, bytes.byteLength)
    },
  })
}

/**
 * A pickle of protocol 2 of a dict from names to `torch._utils._rebuild_tensor_v2(...)`, as `torch.save` makes
 * it, without the memo that saves repetitions.
 */
function pickleStateDict(tensors: readonly TensorDeclaration[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = []
  const op = (...codes: number[]) => bytes.push(...codes)
  const little = (value: number, length: number) => {
    for (let i = 0; i < length; i++) bytes.push(Math.floor(value / 2 ** (8 * i)) % 256)
  }
  const ascii = (value: string) => {
    for (const character of value) bytes.push(character.charCodeAt(0))
  }
  const global = (module: string, name: string) => {
    op(0x63) // GLOBAL
    ascii(`${module}\n${name}\n`)
  }
  const string = (value: string) => {
    const utf8 = new TextEncoder().encode(value)
    op(0x58) // BINUNICODE
    little(utf8.byteLength, 4)
    op(...utf8)
  }
  const integer = (value: number) => {
    if (value < 2 ** 31) {
      op(0x4a) // BININT
      little(value, 4)
    } else {
      op(0x8a, 8) // LONG1 of 8 bytes
      little(value, 8)
    }
  }
  const integers = (values: readonly number[]) => {
    op(0x28) // MARK
    for (const value of values) integer(value)
    op(0x74) // TUPLE
  }

  op(0x80, 2, 0x7d, 0x28) // PROTO 2, EMPTY_DICT, MARK
  const names = new Set<string>()
  for (const [i, { name, dtype, shape }] of tensors.entries()) {
    const storageClass = STORAGE_CLASSES[dtype]
    if (storageClass === undefined) {
      throw new CheckpointError(
        'checkpoint.unsupported',
        `Tensor ${name} has the dtype ${dtype}, which torch checkpoints lack.`,
      )
    }
    if (names.has(name)) throw new SinkError('sink.write-order', `Tensor ${name} is given twice.`)
    names.add(name)
    const elements = shape.reduce((product, dimension) => product * dimension, 1)
    const strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, d) => product * Math.max(d, 1), 1),
    )
    string(name)
    global('torch._utils', '_rebuild_tensor_v2')
    op(0x28, 0x28) // MARK of the arguments, MARK of the storage
    string('storage')
    global('torch', storageClass)
    string(String(i))
    string('cpu')
    integer(elements)
    op(0x74, 0x51) // TUPLE, BINPERSID
    integer(0)
    integers(shape)
    integers(strides)
    op(0x89) // NEWFALSE: requires_grad
    global('collections', 'OrderedDict')
    op(0x29, 0x52) // EMPTY_TUPLE, REDUCE: no backward hooks
    op(0x74, 0x52) // TUPLE, REDUCE
  }
  op(0x75, 0x2e) // SETITEMS, STOP
  return Uint8Array.from(bytes)
}
