import {
  type AffineQuantization,
  asUint16Array,
  type Checkpoint,
  type FloatDType,
  float32ToFloat16,
  repackChatGLMScales,
  repackChatGLMWeight,
  type TensorInfo,
  toFloat32,
} from '../../checkpoint/index.js'
import type { Gpu } from '../../gpu/index.js'
import { ropeTable, type WeightFormat } from '../../kernels/index.js'
import type { ModelConfig } from './config.js'
import { inParallel } from './parallel.js'
import { type MatrixQuantizer, Quantizer } from './quantizer.js'
import { BLOCK_ROWS, CHUNK_BYTES, rowBlocks } from './row-blocks.js'
import {
  FLOAT_DTYPES,
  matrixBase,
  quantizationAfter,
  quantizedFormat,
  rowBytes,
  type StoredMatrix,
  storedMatrix,
  storedTensors,
} from './stored-matrix.js'
import { type LayerTensors, modelTensors, type TensorSpec } from './tensors.js'
import type { LayerWeights, LinearWeight, ModelWeights, WeightSlice } from './weights.js'

export interface LoadWeightsOptions {
  /** Quantizes float matrices on the way; matrices that are quantized already stay as they are. */
  readonly quantization?: AffineQuantization | undefined
  /** Positions of the rotary table. */
  readonly positions: number
  readonly signal?: AbortSignal
  /** Called with the bytes read so far and in all. */
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void
}

/** Reads under way at a time: enough to keep a disk or a connection busy. */
const PARALLEL_READS = 4
/** Uploads that the GPU may be behind with; they live in host memory until then. */
const MAX_BEHIND_BYTES = 256 * 2 ** 20
type Job = () => Promise<void>

/** Reads a checkpoint's weights into GPU buffers, quantizing them on the way if asked to. */
class WeightLoader {
  readonly #gpu: Gpu
  readonly #checkpoint: Checkpoint
  readonly #options: LoadWeightsOptions
  readonly #jobs: Job[] = []
  readonly #matrices: MatrixQuantizer[] = []
  readonly #quantizers = new Map<string, Quantizer>()
  #totalBytes = 0
  #loadedBytes = 0
  #behindBytes = 0
  #catchingUp: Promise<void> | undefined

  constructor(gpu: Gpu, checkpoint: Checkpoint, options: LoadWeightsOptions) {
    this.#gpu = gpu
    this.#checkpoint = checkpoint
    this.#options = options
  }

  /** Allocates a matrix and notes what has to be read into it. */
  async matrix(spec: TensorSpec, bias?: TensorSpec): Promise<LinearWeight> {
    const stored = storedMatrix(this.#checkpoint, spec)
    for (const { byteLength } of storedTensors(stored)) this.#totalBytes += byteLength
    const [outFeatures, inFeatures] = spec.shape
    const quantization = quantizationAfter(stored, this.#options.quantization)
    const format: WeightFormat = quantization ? quantizedFormat(quantization) : { type: 'f16' }
    const slices = await this.#gpu.allocating(spec.name, () =>
      this.#allocateSlices(spec.name, format, outFeatures, inFeatures),
    )
    if (stored.kind === 'dense' && quantization) {
      const matrix = await this.#quantizerOf(quantization).matrix(stored.weight)
      this.#matrices.push(matrix)
      for (const slice of slices) this.#noteQuantizing(matrix, stored.weight, slice)
    } else {
      for (const slice of slices) this.#noteSlice(stored, slice, inFeatures)
    }
    const name = matrixBase(spec.name).replace(/^transformer\.(encoder\.)?/, '')
    return { name, inFeatures, outFeatures, slices, ...(bias && { bias: await this.vector(bias) }) }
  }

  /** Allocates a norm's weight or a bias, as f16, and notes that it has to be read. */
  async vector(spec: TensorSpec): Promise<GPUBuffer> {
    const tensor = this.#checkpoint.requireTensor(spec.name, { dtype: FLOAT_DTYPES, shape: spec.shape })
    const buffer = await this.#gpu.allocating(spec.name, () =>
      this.#gpu.allocate('weights', spec.name, spec.shape[0] * 2),
    )
    this.#totalBytes += tensor.byteLength
    this.#noteFloats(tensor, 0, tensor.byteLength, buffer)
    return buffer
  }

  /** Reads everything noted. */
  async run(): Promise<void> {
    try {
      await inParallel(this.#jobs, PARALLEL_READS, this.#options.signal)
      for (const matrix of this.#matrices) await matrix.finish()
      await this.#gpu.finish()
    } finally {
      for (const quantizer of this.#quantizers.values()) quantizer.dispose()
    }
  }

  #quantizerOf(quantization: AffineQuantization): Quantizer {
    const key = JSON.stringify(quantization)
    const quantizer = this.#quantizers.get(key) ?? new Quantizer(this.#gpu, quantization)
    this.#quantizers.set(key, quantizer)
    return quantizer
  }

  #allocateSlices(name: string, format: WeightFormat, out: number, inFeatures: number): WeightSlice[] {
    const gpu = this.#gpu
    const { weightBytes, groupBytes } = rowBytes(format, inFeatures)
    const limit = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize)
    const fitting = Math.floor(limit / weightBytes / BLOCK_ROWS) * BLOCK_ROWS
    const slices: WeightSlice[] = []
    for (let firstRow = 0; firstRow < out; firstRow += fitting) {
      const rows = Math.min(fitting, out - firstRow)
      const weight = gpu.allocate('weights', name, rows * weightBytes)
      const scales = groupBytes && gpu.allocate('weights', `${name} scales`, rows * groupBytes)
      const biases = groupBytes && gpu.allocate('weights', `${name} biases`, rows * groupBytes)
      slices.push({
        format,
        firstRow,
        rows,
        buffers: { weight, ...(scales && biases && { scales, biases }) },
      })
    }
    return slices
  }

  #noteSlice(stored: StoredMatrix, slice: WeightSlice, inFeatures: number): void {
    const { format, buffers, firstRow, rows } = slice
    const { weightBytes, groupBytes } = rowBytes(format, inFeatures)
    if (stored.kind === 'quantized') {
      this.#noteBytes(stored.weight, firstRow * weightBytes, rows * weightBytes, buffers.weight)
      this.#noteBytes(stored.scales, firstRow * groupBytes, rows * groupBytes, buffers.scales!)
      this.#noteBytes(stored.biases, firstRow * groupBytes, rows * groupBytes, buffers.biases!)
    } else if (stored.kind === 'official') {
      this.#noteOfficial(stored, slice, inFeatures)
    } else {
      const sourceBytes = stored.weight.byteLength / stored.weight.shape[0]
      this.#noteFloats(stored.weight, firstRow * sourceBytes, rows * sourceBytes, buffers.weight)
    }
  }

  /** Copies bytes of a tensor as they are. */
  #noteBytes(tensor: TensorInfo, firstByte: number, byteLength: number, buffer: GPUBuffer): void {
    for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
      const end = Math.min(at + CHUNK_BYTES, byteLength)
      this.#jobs.push(async () =>
        this.#write(buffer, at, await this.#read(tensor, firstByte + at, firstByte + end)),
      )
    }
  }

  /** Copies floats of a tensor as f16. */
  #noteFloats(tensor: TensorInfo, firstByte: number, byteLength: number, buffer: GPUBuffer): void {
    if (tensor.dtype === 'F16') {
      this.#noteBytes(tensor, firstByte, byteLength, buffer)
      return
    }
    const size = tensor.dtype === 'F32' ? 4 : 2
    for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
      const end = Math.min(at + CHUNK_BYTES, byteLength)
      this.#jobs.push(async () => {
        const bytes = await this.#read(tensor, firstByte + at, firstByte + end)
        const halves = float32ToFloat16(toFloat32(bytes, tensor.dtype as FloatDType))
        await this.#write(buffer, (at / size) * 2, halves)
      })
    }
  }

  #noteOfficial(stored: StoredMatrix & { kind: 'official' }, slice: WeightSlice, inFeatures: number): void {
    const { buffers, firstRow, rows } = slice
    const { bits, weight, weightScale } = stored
    const { weightBytes, groupBytes } = rowBytes(slice.format, inFeatures)
    for (const { firstRow: row, rows: count } of rowBlocks(rows, weightBytes)) {
      const first = firstRow + row
      this.#jobs.push(async () => {
        const packed = await this.#read(weight, first * weightBytes, (first + count) * weightBytes)
        const scale = asUint16Array(await this.#read(weightScale, first * 2, (first + count) * 2))
        const { scales, biases } = repackChatGLMScales(bits, scale, groupBytes / 2, first)
        await this.#write(buffers.weight, row * weightBytes, repackChatGLMWeight(bits, packed))
        await this.#write(buffers.scales!, row * groupBytes, scales)
        await this.#write(buffers.biases!, row * groupBytes, biases)
      })
    }
  }

  #noteQuantizing(matrix: MatrixQuantizer, tensor: TensorInfo, slice: WeightSlice): void {
    const { buffers, firstRow, rows, format } = slice
    const sourceBytes = tensor.byteLength / tensor.shape[0]
    const { weightBytes, groupBytes } = rowBytes(format, tensor.shape[1])
    for (const { firstRow: row, rows: count } of rowBlocks(rows, sourceBytes)) {
      const first = (firstRow + row) * sourceBytes
      this.#jobs.push(async () => {
        const bytes = await this.#read(tensor, first, first + count * sourceBytes)
        matrix.quantizeInto(bytes, count, {
          weight: [buffers.weight, row * weightBytes],
          scales: [buffers.scales!, row * groupBytes],
          biases: [buffers.biases!, row * groupBytes],
        })
        await this.#keepUp(bytes.byteLength)
      })
    }
  }

  async #read(tensor: TensorInfo, start: number, end: number): Promise<Uint8Array> {
    const { signal, onProgress } = this.#options
    const bytes = await this.#checkpoint.readRange(tensor.name, start, end, { signal })
    this.#loadedBytes += bytes.byteLength
    onProgress?.(this.#loadedBytes, this.#totalBytes)
    return bytes
  }

  async #write(buffer: GPUBuffer, at: number, bytes: ArrayBufferView): Promise<void> {
    this.#gpu.write(buffer, at, bytes)
    await this.#keepUp(bytes.byteLength)
  }

  /** Lets the GPU catch up before too many uploads wait in host memory. */
  async #keepUp(byteLength: number): Promise<void> {
    this.#behindBytes += byteLength
    if (this.#behindBytes > MAX_BEHIND_BYTES) {
      this.#behindBytes = 0
      this.#catchingUp = this.#gpu.finish()
    }
    await this.#catchingUp
  }
}

/** Weights whose buffers are there, and whose bytes can be read into them. */
export interface AllocatedWeights {
  readonly weights: ModelWeights
  /** Reads every byte. To be called once. */
  read(): Promise<void>
}

/**
 * Allocates all weights of a model. Their shapes and formats come from the checkpoint's headers, so that kernels can
 * be compiled for them and bound to them while the bytes are read.
 * @throws what the checkpoint throws for missing or mismatched tensors; OutOfMemoryError
 */
export async function allocateWeights(
  gpu: Gpu,
  checkpoint: Checkpoint,
  config: ModelConfig,
  options: LoadWeightsOptions,
): Promise<AllocatedWeights> {
  const loader = new WeightLoader(gpu, checkpoint, options)
  const tensors = modelTensors(config)
  const layer = async (names: LayerTensors): Promise<LayerWeights> => ({
    inputNorm: await loader.vector(names.inputNorm),
    qkv: await loader.matrix(names.qkv, names.qkvBias),
    dense: await loader.matrix(names.dense),
    postAttentionNorm: await loader.vector(names.postAttentionNorm),
    gateUp: await loader.matrix(names.gateUp),
    down: await loader.matrix(names.down),
  })
  const embedding = await loader.matrix(tensors.embedding)
  const layers: LayerWeights[] = []
  for (const names of tensors.layers) layers.push(await layer(names))
  const weights: ModelWeights = {
    embedding,
    layers,
    finalNorm: await loader.vector(tensors.finalNorm),
    output: await loader.matrix(tensors.output),
    ropeTable: gpu.upload(
      'weights',
      'rope table',
      ropeTable(options.positions, config.headDim, config.ropeBase),
    ),
  }
  return { weights, read: () => loader.run() }
}

/**
 * Loads all weights of a model.
 * @throws what the checkpoint throws for missing, mismatched or damaged tensors; OutOfMemoryError
 */
export async function loadWeights(
  gpu: Gpu,
  checkpoint: Checkpoint,
  config: ModelConfig,
  options: LoadWeightsOptions,
): Promise<ModelWeights> {
  const { weights, read } = await allocateWeights(gpu, checkpoint, config, options)
  await read()
  return weights
}
