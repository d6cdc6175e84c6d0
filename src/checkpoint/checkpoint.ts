import { CheckpointError, SourceError } from '../errors/index.js'
import { CONFIG_FILE, PROGRESS_FILE, WEIGHT_FILES } from './formats/checkpoint-files.js'
import type { DType } from './formats/dtype.js'
import { parseJson } from './formats/json.js'
import { openSafetensors } from './formats/safetensors.js'
import type { TensorFile, TensorLayout } from './formats/tensor-file.js'
import { openTorchBin } from './formats/torch-bin.js'
import { readWeightIndex } from './formats/weight-index.js'
import { openSource, type SourceLocation, type SourceOptions } from './open-files.js'
import { closeNames } from './similar-names.js'
import { type ByteSource, DEFAULT_CHUNK_BYTES, readFile, streamRange } from './sources/byte-source.js'

/** The official one has 1.3 kB; one that lists how each layer is quantized has some 100 kB. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024

/** A tensor of a checkpoint. */
export interface TensorInfo extends TensorLayout {
  readonly name: string
  /** The path of the file that holds it. */
  readonly file: string
}

export interface ReadOptions {
  readonly signal?: AbortSignal
}

export interface OpenCheckpointOptions extends SourceOptions, ReadOptions {}

/** What a caller needs a tensor to be. */
export interface TensorRequirement {
  readonly dtype?: readonly DType[]
  readonly shape?: readonly number[]
}

/**
 * Named tensors in one file or in several. Opening reads only headers; tensors are read when asked for. Bytes
 * are little-endian, in row-major order, and may be the source's own: do not write to them.
 */
export class Checkpoint {
  /** What to call the checkpoint in messages. */
  readonly name: string
  /** Where the files are, for those that are no tensors: the tokenizer's, for instance. */
  readonly source: ByteSource
  /** The parsed `config.json` beside the tensors; undefined where there is none. */
  readonly config: unknown
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #files: ReadonlyMap<string, TensorFile>

  /** @internal Use {@link openCheckpoint}. */
  constructor(
    source: ByteSource,
    config: unknown,
    tensors: ReadonlyMap<string, TensorInfo>,
    files: ReadonlyMap<string, TensorFile>,
  ) {
    this.name = source.name
    this.source = source
    this.config = config
    this.tensors = tensors
    this.#files = files
  }

  /**
   * All bytes of a tensor.
   *
   * @throws `checkpoint.tensor-missing` where there is no such tensor
   * @throws `source.failed`, `checkpoint.truncated` where it cannot be read
   */
  async read(name: string, options: ReadOptions = {}): Promise<Uint8Array> {
    return this.readRange(name, 0, this.requireTensor(name).byteLength, options)
  }

  /** The bytes `startByte` (inclusive) to `endByte` (exclusive) of a tensor. Errors as {@link read}. */
  async readRange(
    name: string,
    startByte: number,
    endByte: number,
    { signal }: ReadOptions = {},
  ): Promise<Uint8Array> {
    const { byteLength, file } = this.requireTensor(name)
    if (
      !(Number.isSafeInteger(startByte) && Number.isSafeInteger(endByte)) ||
      startByte < 0 ||
      endByte < startByte ||
      endByte > byteLength
    ) {
      throw new RangeError(
        `Tensor ${name} has ${byteLength} bytes; ${startByte} to ${endByte} is no range of them`,
      )
    }
    const offset = await this.#files.get(file)!.offsetOf(name, signal)
    return this.source.read(file, offset + startByte, offset + endByte, signal)
  }

  /**
   * The bytes of a tensor in chunks of `chunkBytes`, the last one shorter; the next chunk is read ahead. Errors
   * as {@link read}.
   */
  async *stream(
    name: string,
    chunkBytes: number = DEFAULT_CHUNK_BYTES,
    { signal }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { byteLength, file } = this.requireTensor(name)
    const offset = await this.#files.get(file)!.offsetOf(name, signal)
    yield* streamRange(this.source, file, offset, offset + byteLength, chunkBytes, signal)
  }

  /**
   * A tensor that the caller cannot do without.
   *
   * @throws `checkpoint.tensor-missing` where there is no such tensor; the message suggests names that are close
   * @throws `checkpoint.tensor-mismatch` where its dtype or shape is another
   */
  requireTensor(name: string, { dtype, shape }: TensorRequirement = {}): TensorInfo {
    const tensor = this.tensors.get(name)
    if (tensor === undefined) {
      const close = closeNames(name, this.tensors.keys())
      throw new CheckpointError(
        'checkpoint.tensor-missing',
        `${this.name} has no tensor "${name}". ${
          close.length === 0
            ? `It has ${this.tensors.size} tensors, none of a similar name: is it the right checkpoint?`
            : `Similar names: ${close.join(', ')}.`
        }`,
      )
    }
    if (dtype !== undefined && !dtype.includes(tensor.dtype)) {
      throw new CheckpointError(
        'checkpoint.tensor-mismatch',
        `Tensor ${name} in ${tensor.file} has the dtype ${tensor.dtype}; ${dtype.join(' or ')} is needed.`,
      )
    }
    if (
      shape !== undefined &&
      (shape.length !== tensor.shape.length || shape.some((size, i) => size !== tensor.shape[i]))
    ) {
      throw new CheckpointError(
        'checkpoint.tensor-mismatch',
        `Tensor ${name} in ${tensor.file} has the shape [${tensor.shape.join(', ')}]; ` +
          `[${shape.join(', ')}] is needed. Does config.json belong to these weights?`,
      )
    }
    return tensor
  }
}

/**
 * Opens a checkpoint: a folder with `model.safetensors`, `pytorch_model.bin` or one of their indexes of
 * shards, or one such file of any name.
 *
 * @throws `source.not-found` where there are no weights
 * @throws `checkpoint.shard-missing` where a shard of the index is missing
 * @throws `checkpoint.corrupt`, `checkpoint.truncated`, `checkpoint.unsafe-pickle`, `checkpoint.unsafe-path`, `checkpoint.unsupported` where
 * the files are not what they should be
 * @throws `source.failed` where they cannot be read
 */
export async function openCheckpoint(
  location: SourceLocation,
  options: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  const { signal } = options
  const source = await openSource(location, options)
  const path = source.file ?? (await findWeights(source, signal))
  if (source.file !== undefined && !(await source.has(path, signal))) {
    throw new SourceError('source.not-found', `There is no file ${path} in ${source.name}.`)
  }
  const config = (await source.has(CONFIG_FILE, signal))
    ? parseJson(await readFile(source, CONFIG_FILE, MAX_CONFIG_BYTES, signal), CONFIG_FILE)
    : undefined
  if (path.endsWith('.index.json')) return openShards(source, path, config, signal)
  const file = await openTensorFile(source, path, signal)
  const tensors = new Map<string, TensorInfo>()
  for (const [name, layout] of file.tensors) tensors.set(name, tensorInfo(name, layout, path))
  return new Checkpoint(source, config, tensors, new Map([[path, file]]))
}

/**
 * The weight file, or index of weight files, of a folder.
 *
 * @throws `source.not-found` where there is none
 */
export async function findWeights(source: ByteSource, signal?: AbortSignal): Promise<string> {
  for (const path of WEIGHT_FILES) if (await source.has(path, signal)) return path
  const unfinished = await source.has(PROGRESS_FILE, signal)
  throw new SourceError(
    'source.not-found',
    unfinished
      ? `${source.name} is an unfinished checkpoint. Run the conversion that writes it again: it continues.`
      : `${source.name} holds no checkpoint: none of ${WEIGHT_FILES.join(', ')} is there. ` +
          'Give the folder that has them, or the weight file itself.',
  )
}

/** Opens a file by what it contains, as names like `.pt` and `.bin` promise nothing. */
async function openTensorFile(source: ByteSource, path: string, signal?: AbortSignal): Promise<TensorFile> {
  if (path.endsWith('.safetensors')) return openSafetensors(source, path, signal)
  return openTorchBin(source, path, signal)
}

async function openShards(
  source: ByteSource,
  indexPath: string,
  config: unknown,
  signal: AbortSignal | undefined,
): Promise<Checkpoint> {
  const index = await readWeightIndex(source, indexPath, signal)
  const opened = await Promise.all(
    [...index.shards].map(async ([path, names]) => {
      if (!(await source.has(path, signal))) {
        throw new CheckpointError(
          'checkpoint.shard-missing',
          `${indexPath} lists the shard ${path}, which is not in ${source.name}. It holds ${names.length} tensors ` +
            `(${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}): download it.`,
          { details: { shard: path, tensors: names } },
        )
      }
      return [path, await openTensorFile(source, path, signal)] as const
    }),
  )
  const files = new Map(opened)
  const tensors = new Map<string, TensorInfo>()
  let totalSize = 0
  for (const [name, path] of index.shardOf) {
    const layout = files.get(path)!.tensors.get(name)
    if (layout === undefined) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `${indexPath} places tensor ${JSON.stringify(name.slice(0, 200))} in ${path}, which does not have it. ` +
          'Index and shards are of different checkpoints: download them again.',
      )
    }
    tensors.set(name, tensorInfo(name, layout, path))
    totalSize += layout.byteLength
  }
  if (index.totalSize !== undefined && index.totalSize !== totalSize) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${indexPath} says that its tensors have ${index.totalSize} bytes together, but the shards have ${totalSize}. ` +
        'Index and shards are of different checkpoints: download them again.',
    )
  }
  return new Checkpoint(source, config, tensors, files)
}

function tensorInfo(name: string, { dtype, shape, byteLength }: TensorLayout, file: string): TensorInfo {
  return { name, dtype, shape, byteLength, file }
}
