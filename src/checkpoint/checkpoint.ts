import { CheckpointError } from '../errors/index.js'
import type { StoredType } from './formats/ggml-types.js'
import type { GgufMetadata } from './formats/gguf.js'
import type { TensorFile, TensorLayout } from './formats/tensor-file.js'
import { closeNames } from './similar-names.js'
import { type ByteSource, DEFAULT_CHUNK_BYTES, streamRange } from './sources/byte-source.js'

/** A tensor of a checkpoint. */
export interface TensorInfo extends TensorLayout {
  readonly name: string
  /** The path of the file that holds it. */
  readonly file: string
}

export interface ReadOptions {
  readonly signal?: AbortSignal
}

/** What a caller needs a tensor to be. */
export interface TensorRequirement {
  readonly dtype?: readonly StoredType[]
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
  /** The keys and values of a GGUF file, which describe model and tokenizer; undefined for other formats. */
  readonly metadata: GgufMetadata | undefined
  readonly #files: ReadonlyMap<string, TensorFile>

  /** @internal Use {@link openCheckpoint}. */
  constructor(
    source: ByteSource,
    config: unknown,
    tensors: ReadonlyMap<string, TensorInfo>,
    files: ReadonlyMap<string, TensorFile>,
    metadata?: GgufMetadata,
  ) {
    this.name = source.name
    this.source = source
    this.config = config
    this.tensors = tensors
    this.metadata = metadata
    this.#files = files
  }

  /**
   * The same checkpoint under other names.
   *
   * @param names the new name of each tensor that is to have one; the others keep theirs
   * @param config what is to stand for `config.json`
   */
  renamed(names: ReadonlyMap<string, string>, config: unknown): Checkpoint {
    const before = new Map<string, string>()
    const tensors = new Map<string, TensorInfo>()
    for (const tensor of this.tensors.values()) {
      const name = names.get(tensor.name) ?? tensor.name
      before.set(name, tensor.name)
      tensors.set(name, { ...tensor, name })
    }
    const files = [...this.#files].map(([path, file]): [string, TensorFile] => [
      path,
      { ...file, offsetOf: (name, signal) => file.offsetOf(before.get(name)!, signal) },
    ])
    return new Checkpoint(this.source, config, tensors, new Map(files), this.metadata)
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
