import {
  type AffineQuantization,
  type FloatDType,
  QuantizationError,
  type TensorInfo,
} from '../../checkpoint/index.js'
import { type Dispatch, encodeDispatches, type Gpu } from '../../gpu/index.js'
import { compileQuantize } from '../../kernels/index.js'
import { blockRows } from './row-blocks.js'
import { quantizedFormat, rowBytes } from './stored-matrix.js'

/** Quantized rows of a matrix, as their file holds them. */
export interface QuantizedRows {
  /** u32 [rows, columns * bits / 32] */
  readonly weight: Uint8Array
  /** f16 [rows, columns / groupSize] */
  readonly scales: Uint8Array
  /** f16 [rows, columns / groupSize] */
  readonly biases: Uint8Array
}

/** Where quantized rows go on the GPU: a buffer and the byte in it. */
export interface QuantizedTargets {
  readonly weight: readonly [buffer: GPUBuffer, byteOffset: number]
  readonly scales: readonly [buffer: GPUBuffer, byteOffset: number]
  readonly biases: readonly [buffer: GPUBuffer, byteOffset: number]
}

const SOURCE_TYPES = { F16: 'f16', BF16: 'bf16', F32: 'f32' } as const

/** The size of a float dtype in bytes. */
function floatBytes(dtype: FloatDType): number {
  return dtype === 'F32' ? 4 : 2
}

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
    const sourceBytes = columns * floatBytes(dtype)
    const rows = blockRows(sourceBytes)
    const { weightBytes, groupBytes } = rowBytes(quantizedFormat(this.#quantization), columns)
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
      weight: this.#staging('weight', rows * weightBytes),
      scales: this.#staging('scales', rows * groupBytes),
      biases: this.#staging('biases', rows * groupBytes),
      problems: gpu.allocate('activations', 'quantization problems', 8),
    }))
    return new MatrixQuantizer(gpu, tensor, buffers, kernel.bind('quantize', buffers), {
      weightBytes,
      groupBytes,
    })
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
  readonly #gpu: Gpu
  readonly #tensor: TensorInfo
  readonly #buffers: StagingBuffers
  readonly #dispatches: readonly Dispatch[]
  readonly #row: { readonly weightBytes: number; readonly groupBytes: number }

  /** @internal Use `Quantizer.matrix`. */
  constructor(
    gpu: Gpu,
    tensor: TensorInfo,
    buffers: StagingBuffers,
    dispatches: readonly Dispatch[],
    row: { readonly weightBytes: number; readonly groupBytes: number },
  ) {
    this.#gpu = gpu
    this.#tensor = tensor
    this.#buffers = buffers
    this.#dispatches = dispatches
    this.#row = row
  }

  /** Quantizes rows into buffers of the GPU. Returns as soon as the work is submitted. */
  quantizeInto(bytes: Uint8Array, rows: number, targets: QuantizedTargets): void {
    const { weight, scales, biases } = this.#buffers
    const encoder = this.#quantize(bytes, rows)
    const { weightBytes, groupBytes } = this.#row
    for (const [source, [target, offset], rowLength] of [
      [weight, targets.weight, weightBytes],
      [scales, targets.scales, groupBytes],
      [biases, targets.biases, groupBytes],
    ] as const) {
      encoder.copyBufferToBuffer(source, 0, target, offset, wholeWords(rows * rowLength))
    }
    this.#gpu.device.queue.submit([encoder.finish()])
  }

  /** Quantizes rows and reads them back. The GPU's part is submitted before this returns. */
  async quantize(bytes: Uint8Array, rows: number): Promise<QuantizedRows> {
    const { weight, scales, biases } = this.#buffers
    this.#gpu.device.queue.submit([this.#quantize(bytes, rows).finish()])
    const { weightBytes, groupBytes } = this.#row
    const read = async (buffer: GPUBuffer, byteLength: number) =>
      new Uint8Array(await this.#gpu.read(buffer, 0, wholeWords(byteLength)), 0, byteLength)
    const [weightRows, scaleRows, biasRows] = await Promise.all([
      read(weight, rows * weightBytes),
      read(scales, rows * groupBytes),
      read(biases, rows * groupBytes),
    ])
    return { weight: weightRows, scales: scaleRows, biases: biasRows }
  }

  /**
   * Ends the matrix, after all its rows.
   * @throws QuantizationError where elements were NaN, infinite, or beyond the range of f16
   */
  async finish(): Promise<void> {
    const [notFinite, tooLarge] = new Uint32Array(await this.#gpu.read(this.#buffers.problems, 0, 8))
    this.#gpu.free(this.#buffers.problems)
    if (notFinite + tooLarge > 0) {
      throw new QuantizationError(
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
