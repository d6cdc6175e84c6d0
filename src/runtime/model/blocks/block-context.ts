import type { AffineQuantization, Checkpoint, TensorInfo } from '../../../checkpoint/index.js'
import type { Gpu } from '../../../gpu/index.js'
import { openWorkers, ownedBytes, type Workers } from '../../../platform/index.js'
import { type AffineGroups, type RepackJob, repackBlocks } from './ggml-affine.js'
import { Quantizer } from './quantizer.js'
import { CHUNK_BYTES } from './row-blocks.js'

export interface BlockContextOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes of each read. */
  readonly onRead?: (bytes: number) => void
}

/** What readers of blocks share: the checkpoint that they read, and the GPU on which they quantize. */
export class BlockContext {
  /** Undefined where nothing is quantized or loaded. */
  readonly gpu: Gpu | undefined
  readonly #checkpoint: Checkpoint
  readonly #options: BlockContextOptions
  readonly #quantizers = new Map<string, Quantizer>()
  #repackers: Workers<RepackJob, AffineGroups | undefined> | undefined

  constructor(gpu: Gpu | undefined, checkpoint: Checkpoint, options: BlockContextOptions = {}) {
    this.gpu = gpu
    this.#checkpoint = checkpoint
    this.#options = options
  }

  /** The rows of a tensor, each of `bytesPerRow`. @throws what the checkpoint throws, and the signal's reason */
  async read(tensor: TensorInfo, firstRow: number, rows: number, bytesPerRow: number): Promise<Uint8Array> {
    const { signal, onRead } = this.#options
    const [start, end] = [firstRow * bytesPerRow, (firstRow + rows) * bytesPerRow]
    const bytes = await this.#checkpoint.readRange(tensor.name, start, end, signal && { signal })
    onRead?.(bytes.byteLength)
    return bytes
  }

  /** The bytes of a tensor in chunks. Errors as `read`. */
  async *stream(tensor: TensorInfo): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, onRead } = this.#options
    for await (const bytes of this.#checkpoint.stream(tensor.name, CHUNK_BYTES, signal && { signal })) {
      yield bytes
      onRead?.(bytes.byteLength)
    }
  }

  /** The quantizer of all matrices that are to be quantized in this way. */
  quantizer(quantization: AffineQuantization): Quantizer {
    const key = JSON.stringify(quantization)
    if (!this.gpu) throw new TypeError('Matrices are quantized on a GPU; none was given.')
    const quantizer = this.#quantizers.get(key) ?? new Quantizer(this.gpu, quantization)
    this.#quantizers.set(key, quantizer)
    return quantizer
  }

  /** Blocks of which the work can be done at the same time. */
  get parallel(): number {
    return this.#repackers?.parallel ?? 1
  }

  /** Prepares for `repack`. */
  async openRepackers(): Promise<void> {
    this.#repackers ??= await openWorkers('repack-worker', ({ type, blocks }: RepackJob) =>
      repackBlocks(type, blocks),
    )
  }

  /** Puts blocks of ggml into groups, as `repackBlocks` does. To be called after `openRepackers`. */
  async repack({ type, blocks }: RepackJob): Promise<AffineGroups | undefined> {
    return this.#repackers!.run({ type, blocks: ownedBytes(blocks) })
  }

  /** Ends threads, and gives all memory back. */
  dispose(): void {
    this.#repackers?.close()
    this.#repackers = undefined
    this.disposeQuantizers()
  }

  /** Gives the memory of quantizers back, after the matrices that they were for. */
  disposeQuantizers(): void {
    for (const quantizer of this.#quantizers.values()) quantizer.dispose()
    this.#quantizers.clear()
  }
}
