import {
  type AffineQuantization,
  dtypeBytes,
  type FloatDType,
  type TensorInfo,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import { type Dispatch, encodeDispatches, type Gpu } from '../../../gpu/index.js'
import { compileQuantize, type WeightBuffers } from '../../../kernels/index.js'
import { MATRIX_PARTS, type MatrixPart, type MatrixRows, quantizedFormat, rowBytes } from './matrix-layout.js'
import { blockRows } from './row-blocks.js'

const SOURCE_TYPES = { F16: 'f16', BF16: 'bf16', F32: 'f32' } as const

/**
 * Quantizes matrices on the GPU, block by block. All blocks go through the same few buffers: GPU work is in order, so
 * the next block may be submitted as soon as the last one's copies are.
 */
export class Quantizer {
  readonly #gpu: Gpu
  readonly #quantization: AffineQuantization
  readonly #buffers = new Map<string, GPUBuffer>()

  constructor(gpu: Gpu, quantization: AffineQuantization) {
    this.#gpu = gpu
    this.#quantization = quantization
  }

  /** Prepares for one matrix [out, columns]. */
  async matrix(tensor: TensorInfo): Promise<MatrixQuantizer> {
    const gpu = this.#gpu
    const dtype = tensor.dtype as FloatDType
    const columns = tensor.shape[1]
    const sourceBytes = columns * dtypeBytes(dtype)
    const rows = blockRows(sourceBytes)
    const rowOf = rowBytes(quantizedFormat(this.#quantization), columns)
    const { bits, groupSize } = this.#quantization
    const kernel = await compileQuantize(gpu, {
      sourceType: SOURCE_TYPES[dtype],
      bits,
      groupSize: groupSize === 32 ? 32 : 64,
      columns,
    })
    const buffers = await gpu.allocating('quantization', () => ({
      source: this.#staging('source', rows * sourceBytes),
      block: this.#staging('block', 4),
      weight: this.#staging('weight', rows * rowOf.weight),
      scales: this.#staging('scales', rows * rowOf.scales),
      biases: this.#staging('biases', rows * rowOf.biases),
      problems: gpu.allocate('activations', 'quantization problems', 8),
    }))
    return new MatrixQuantizer(gpu, tensor, buffers, kernel.bind('quantize', buffers), sourceBytes, rowOf)
  }

  /** Gives the staging buffers back. */
  dispose(): void {
    for (const buffer of this.#buffers.values()) this.#gpu.free(buffer)
    this.#buffers.clear()
  }

  /** A buffer of at least this size. Sizes differ between matrices, so each size is a buffer of its own. */
  #staging(part: string, byteLength: number): GPUBuffer {
    const key = `${part} ${byteLength}`
    let buffer = this.#buffers.get(key)
    if (!buffer) {
      buffer = this.#gpu.allocate('activations', `quantization ${part}`, byteLength)
      this.#buffers.set(key, buffer)
    }
    return buffer
  }
}

interface StagingBuffers {
  readonly source: GPUBuffer
  readonly block: GPUBuffer
  readonly weight: GPUBuffer
  readonly scales: GPUBuffer
  readonly biases: GPUBuffer
  readonly problems: GPUBuffer
}

/** Quantizes the rows of one matrix. */
export class MatrixQuantizer {
  /** Bytes of a row of floats. */
  readonly bytesPerRow: number
  readonly #gpu: Gpu
  readonly #tensor: TensorInfo
  readonly #buffers: StagingBuffers
  readonly #dispatches: readonly Dispatch[]
  readonly #rowOf: Readonly<Record<MatrixPart, number>>

  /** @internal Use `Quantizer.matrix`. */
  constructor(
    gpu: Gpu,
    tensor: TensorInfo,
    buffers: StagingBuffers,
    dispatches: readonly Dispatch[],
    bytesPerRow: number,
    rowOf: Readonly<Record<MatrixPart, number>>,
  ) {
    this.#gpu = gpu
    this.#tensor = tensor
    this.#buffers = buffers
    this.#dispatches = dispatches
    this.bytesPerRow = bytesPerRow
    this.#rowOf = rowOf
  }

  /** Quantizes rows into the buffers of a matrix, from its row `targetRow` on. Returns as soon as the work is submitted. */
  quantizeInto(bytes: Uint8Array, rows: number, targets: WeightBuffers, targetRow: number): void {
    const encoder = this.#quantize(bytes, rows)
    for (const part of MATRIX_PARTS) {
      const [target, rowLength] = [targets[part], this.#rowOf[part]]
      if (!target) continue
      const byteLength = wholeWords(rows * rowLength)
      encoder.copyBufferToBuffer(this.#buffers[part], 0, target, targetRow * rowLength, byteLength)
    }
    this.#gpu.device.queue.submit([encoder.finish()])
  }

  /** Quantizes rows and reads them back. The GPU's part is submitted before this returns. */
  async quantize(bytes: Uint8Array, rows: number): Promise<MatrixRows> {
    this.#gpu.device.queue.submit([this.#quantize(bytes, rows).finish()])
    const read = async (part: MatrixPart) => {
      const byteLength = rows * this.#rowOf[part]
      const words = await this.#gpu.read(this.#buffers[part], 0, wholeWords(byteLength))
      return new Uint8Array(words, 0, byteLength)
    }
    const [weight, scales, biases] = await Promise.all(MATRIX_PARTS.map(read))
    return { weight, scales, biases }
  }

  /**
   * Ends the matrix, after all its rows.
   * @throws `checkpoint.not-quantizable` where elements were NaN, infinite, or beyond the range of f16
   */
  async finish(): Promise<void> {
    const [notFinite, tooLarge] = new Uint32Array(await this.#gpu.read(this.#buffers.problems, 0, 8))
    this.#gpu.free(this.#buffers.problems)
    if (notFinite + tooLarge > 0) {
      throw new CheckpointError(
        'checkpoint.not-quantizable',
        `Tensor ${this.#tensor.name} in ${this.#tensor.file} has ${notFinite} elements that are NaN or infinite and ` +
          `${tooLarge} beyond the range of float16. The file is damaged, or the training diverged.`,
      )
    }
  }

  #quantize(bytes: Uint8Array, rows: number): GPUCommandEncoder {
    const gpu = this.#gpu
    gpu.write(this.#buffers.source, 0, bytes)
    gpu.write(this.#buffers.block, 0, new Uint32Array([rows]))
    const encoder = gpu.device.createCommandEncoder({ label: 'quantize' })
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, this.#dispatches, rows)
    pass.end()
    return encoder
  }
}

/** Buffers are copied in whole words; the padding behind an odd number of f16 is copied too. */
function wholeWords(byteLength: number): number {
  return Math.ceil(byteLength / 4) * 4
}
