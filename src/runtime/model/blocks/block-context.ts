import type { AffineQuantization, Checkpoint, TensorInfo } from '../../../checkpoint/index.js'
import type { Gpu } from '../../../gpu/index.js'
import { Quantizer } from './quantizer.js'

export interface BlockContextOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes of each read. */
  readonly onRead?: (bytes: number) => void
}

/** What readers of blocks share: the checkpoint that they read, and the GPU on which they quantize. */
export class BlockContext {
  readonly gpu: Gpu
  readonly #checkpoint: Checkpoint
  readonly #options: BlockContextOptions
  readonly #quantizers = new Map<string, Quantizer>()

  constructor(gpu: Gpu, checkpoint: Checkpoint, options: BlockContextOptions = {}) {
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

  /** The quantizer of all matrices that are to be quantized in this way. */
  quantizer(quantization: AffineQuantization): Quantizer {
    const key = JSON.stringify(quantization)
    const quantizer = this.#quantizers.get(key) ?? new Quantizer(this.gpu, quantization)
    this.#quantizers.set(key, quantizer)
    return quantizer
  }

  /** Gives the memory of quantizers back. */
  dispose(): void {
    for (const quantizer of this.#quantizers.values()) quantizer.dispose()
    this.#quantizers.clear()
  }
}
