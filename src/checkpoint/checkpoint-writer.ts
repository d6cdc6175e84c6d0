import { SinkError } from '../errors/index.js'
import { CONFIG_FILE, MANIFEST_FILE, PROGRESS_FILE } from './formats/checkpoint-files.js'
import { type JsonObject, jsonBytes } from './formats/json.js'
import { type Manifest, type ManifestEntry, writeManifest } from './formats/manifest.js'
import { type CheckpointLayout, SAFETENSORS_LAYOUT, type Shard, type ShardPlan } from './formats/shards.js'
import type { StoredDeclaration } from './formats/tensor-file.js'
import { openSink, type SinkLocation } from './open-files.js'
import { normalizePath } from './paths.js'
import { createSha256, type Sha256 } from './sha256.js'
import type { ByteSink, SinkFile } from './sinks/byte-sink.js'
import { type ByteSource, DEFAULT_CHUNK_BYTES, streamRange } from './sources/byte-source.js'
import { identityOf, type ResumeOptions, resume, writeProgress } from './write-progress.js'

/** Below 2 GB, which browsers and file systems handle everywhere. */
const DEFAULT_SHARD_BYTES = 1.9e9

export interface CheckpointWriterOptions extends Partial<ResumeOptions> {
  /** The content of `config.json`; undefined where the weights' files say all of it. */
  readonly config: JsonObject | undefined
  /**
   * What else determines the tensors' bytes, as JSON: the source, the method of quantization. A later run
   * continues an unfinished checkpoint only where this, the config and the tensors are the same.
   */
  readonly settings?: unknown
  /** The tensor bytes of a shard at most; a tensor above that gets a shard of its own. 1.9 GB by default. */
  readonly shardBytes?: number
  /** Default: safetensors. */
  readonly layout?: CheckpointLayout
}

/**
 * Begins a checkpoint, or continues one that an earlier run left unfinished.
 *
 * @param tensors all tensors of the checkpoint, in the order they will be written as far as the format allows
 * @throws `sink.resume-mismatch` where the destination holds an unfinished checkpoint with other settings
 * @throws `sink.failed` where the destination cannot be written or already holds weights
 * @throws `sink.write-order` for tensors declared twice
 */
export async function openCheckpointWriter(
  destination: SinkLocation,
  tensors: readonly StoredDeclaration[],
  options: CheckpointWriterOptions,
): Promise<CheckpointWriter> {
  const sink = await openSink(destination)
  const shardBytes = options.shardBytes ?? DEFAULT_SHARD_BYTES
  const { config, settings = null, layout = SAFETENSORS_LAYOUT } = options
  const plans = layout.plan(tensors, shardBytes)
  const identity = await identityOf({
    tensors: tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
    shardBytes,
    config: config ?? null,
    settings,
  })
  const planned = plans.map(({ shard }) => shard.file)
  const complete = await resume(sink, identity, planned, { ...options, restart: options.restart ?? false })
  await writeProgress(sink, { identity, planned, complete })
  return new CheckpointWriter(sink, layout, plans, config, identity, complete)
}

interface OpenShard {
  readonly plan: ShardPlan
  readonly file: SinkFile
  readonly hash: Sha256
  /** The tensor that is being written, by its place in the shard. */
  tensor: number
  /** How much of it has been written. */
  offset: number
  /** How much of the file has been written. */
  written: number
}

/**
 * A checkpoint being written. Call {@link write} with the tensors of {@link nextShard} until there is none,
 * then {@link finish}. A shard is hashed while it is written and gets its name when it is complete; nothing
 * larger than the chunks given is held in memory. One call at a time.
 */
export class CheckpointWriter {
  /** All shards, in order. */
  readonly shards: readonly Shard[]
  readonly #sink: ByteSink
  readonly #layout: CheckpointLayout
  readonly #plans: readonly ShardPlan[]
  readonly #config: JsonObject | undefined
  readonly #identity: string
  readonly #complete: Map<string, ManifestEntry>
  readonly #files = new Map<string, ManifestEntry>()
  #open: OpenShard | undefined

  /** @internal Use {@link openCheckpointWriter}. */
  constructor(
    sink: ByteSink,
    layout: CheckpointLayout,
    plans: readonly ShardPlan[],
    config: JsonObject | undefined,
    identity: string,
    complete: Map<string, ManifestEntry>,
  ) {
    this.#sink = sink
    this.#layout = layout
    this.#plans = plans
    this.#config = config
    this.#identity = identity
    this.#complete = complete
    this.shards = plans.map(({ shard }) => shard)
  }

  /** Whether a shard is written, by this run or an earlier one. */
  isComplete(shard: Shard): boolean {
    return this.#complete.has(shard.file)
  }

  /** The shard whose tensors come next, the one being written included; undefined where all are complete. */
  nextShard(): Shard | undefined {
    return this.shards.find((shard) => !this.isComplete(shard))
  }

  /**
   * Writes the next bytes of the next shard's tensors. Its last byte completes the shard.
   *
   * @param name the tensor the bytes belong to: the first of {@link nextShard} that is not complete
   * @param bytes any part of the tensor; they may be reused once the promise is fulfilled
   * @throws `sink.write-order` where another tensor comes next or these are more bytes than it has
   * @throws `sink.failed` where the destination fails: the shard then begins anew
   */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    // An empty tensor is complete without a call, but a caller need not know.
    if (bytes.byteLength === 0) return
    const open = this.#open ?? (await this.#begin())
    const tensor = open.plan.shard.tensors[open.tensor]
    if (tensor?.name !== name)
      throw new SinkError('sink.write-order', `Tensor ${name} was written, but ${tensor?.name} comes next.`)
    if (open.offset + bytes.byteLength > tensor.byteLength) {
      throw new SinkError(
        'sink.write-order',
        `Tensor ${name} has ${tensor.byteLength} bytes, but ${open.offset + bytes.byteLength} were written.`,
      )
    }
    await this.#append(open, bytes)
    open.offset += bytes.byteLength
    await this.#skipFull(open)
    if (open.tensor === open.plan.shard.tensors.length) await this.#commit(open)
  }

  /**
   * Adds a file that is no tensor: a tokenizer's, a licence.
   *
   * @throws `sink.write-order` for a name that the checkpoint itself uses
   */
  async addFile(path: string, bytes: Uint8Array): Promise<void> {
    await this.#addFile(path, [bytes])
  }

  /** Copies a file that is no tensor, in chunks. Errors as {@link addFile} and of the source. */
  async copyFile(source: ByteSource, path: string, signal?: AbortSignal): Promise<void> {
    await this.#addFile(
      path,
      streamRange(source, path, 0, await source.size(path, signal), DEFAULT_CHUNK_BYTES, signal),
    )
  }

  /**
   * Writes `config.json` and the layout's index, where there are such, and, last, `manifest.json`; after that the checkpoint is finished.
   *
   * @returns the manifest
   * @throws `sink.write-order` where shards are missing
   */
  async finish(): Promise<Manifest> {
    const missing = this.nextShard()
    if (missing !== undefined) {
      throw new SinkError(
        'sink.write-order',
        `${missing.file} is not complete: write its tensors before finishing.`,
      )
    }
    const { index } = this.#layout
    if (this.#config) await this.#write(CONFIG_FILE, [jsonBytes(this.#config)])
    if (index) await this.#write(index.path, [index.content(this.#plans)])
    const manifest = new Map([...this.#complete, ...this.#files])
    await writeManifest(this.#sink, manifest)
    await this.#sink.remove(PROGRESS_FILE)
    return manifest
  }

  /** Drops the shard being written. A later run with the same settings continues with it. */
  async abort(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.file.abort()
  }

  async #begin(): Promise<OpenShard> {
    const plan = this.#plans.find(({ shard }) => !this.isComplete(shard))
    if (plan === undefined) throw new SinkError('sink.write-order', 'All tensors have been written.')
    const file = await this.#sink.create(plan.shard.file)
    const open: OpenShard = { plan, file, hash: await createSha256(), tensor: 0, offset: 0, written: 0 }
    this.#open = open
    await this.#append(open, plan.header)
    await this.#skipFull(open)
    return open
  }

  async #append(open: OpenShard, bytes: Uint8Array): Promise<void> {
    try {
      await open.file.write(bytes)
    } catch (error) {
      await this.abort()
      throw error
    }
    open.hash.update(bytes)
    open.written += bytes.byteLength
  }

  /** Goes on to the next tensor that lacks bytes, where it begins in the file, or to the file's end; an empty tensor never lacks any. */
  async #skipFull(open: OpenShard): Promise<void> {
    const { shard, offsets } = open.plan
    while (open.tensor < shard.tensors.length && open.offset === shard.tensors[open.tensor]!.byteLength) {
      open.tensor++
      open.offset = 0
      const gap = (offsets[open.tensor] ?? open.plan.fileBytes) - open.written
      if (gap > 0) await this.#append(open, new Uint8Array(gap))
    }
  }

  async #commit(open: OpenShard): Promise<void> {
    const { shard, fileBytes } = open.plan
    try {
      await open.file.commit()
    } catch (error) {
      await this.abort()
      throw error
    }
    this.#open = undefined
    this.#complete.set(shard.file, { size: fileBytes, sha256: open.hash.digest() })
    await writeProgress(this.#sink, {
      identity: this.#identity,
      planned: this.shards.map(({ file }) => file),
      complete: this.#complete,
    })
  }

  async #addFile(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const normal = normalizePath(path)
    const reserved = [CONFIG_FILE, this.#layout.index?.path, MANIFEST_FILE, PROGRESS_FILE]
    if (reserved.includes(normal) || this.shards.some(({ file }) => file === normal)) {
      throw new SinkError('sink.write-order', `${normal} is written by the checkpoint itself.`)
    }
    await this.#write(normal, chunks)
  }

  async #write(path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const hash = await createSha256()
    const file = await this.#sink.create(path)
    let size = 0
    try {
      for await (const chunk of chunks) {
        await file.write(chunk)
        hash.update(chunk)
        size += chunk.byteLength
      }
      await file.commit()
    } catch (error) {
      await file.abort()
      throw error
    }
    this.#files.set(path, { size, sha256: hash.digest() })
  }
}
