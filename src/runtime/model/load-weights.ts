import type { AffineQuantization, Checkpoint } from '../../checkpoint/index.js'
import type { Gpu } from '../../gpu/index.js'
import { ropeTable } from '../../kernels/index.js'
import { BlockContext } from './blocks/block-context.js'
import { lossesOf, type RowReader, type StoredMatrix } from './blocks/block-reader.js'
import { storedMatrix } from './blocks/block-readers.js'
import { storedFloats } from './blocks/float.js'
import { weightFormat } from './blocks/matrix-layout.js'
import type { ModelConfig } from './config.js'
import { matrixLabel } from './names/hf.js'
import { LAYER } from './network.js'
import { inParallel } from './parallel.js'
import { type LayerTensors, modelTensors, type TensorSpec } from './tensors.js'
import { allocateSlices } from './weight-slices.js'
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
  readonly #context: BlockContext
  readonly #jobs: Job[] = []
  readonly #readers: RowReader[] = []
  readonly #stored: StoredMatrix[] = []
  #totalBytes = 0
  #loadedBytes = 0
  #behindBytes = 0
  #catchingUp: Promise<void> | undefined

  constructor(gpu: Gpu, checkpoint: Checkpoint, options: LoadWeightsOptions) {
    this.#gpu = gpu
    this.#checkpoint = checkpoint
    this.#options = options
    this.#context = new BlockContext(gpu, checkpoint, {
      signal: options.signal,
      onRead: (bytes) => {
        this.#loadedBytes += bytes
        options.onProgress?.(this.#loadedBytes, this.#totalBytes)
      },
    })
  }

  /** Allocates a matrix and notes what has to be read into it. */
  async matrix(spec: TensorSpec, bias?: TensorSpec): Promise<LinearWeight> {
    const slices = await this.#note(storedMatrix(this.#checkpoint, spec), spec, this.#options.quantization)
    const [outFeatures, inFeatures] = spec.shape
    const name = matrixLabel(spec.name)
    return { name, inFeatures, outFeatures, slices, ...(bias && { bias: await this.vector(bias) }) }
  }

  /** Allocates a norm's weight or a bias, as f16, and notes that it has to be read. */
  async vector(spec: TensorSpec): Promise<GPUBuffer> {
    const [{ buffers }] = await this.#note(storedFloats(this.#checkpoint, spec), spec, undefined)
    return buffers.weight
  }

  /** What the matrices lose on their way. */
  get losses(): string[] {
    return lossesOf(this.#stored)
  }

  /** Reads everything noted. */
  async run(): Promise<void> {
    try {
      await inParallel(this.#jobs, Math.max(PARALLEL_READS, this.#context.parallel), this.#options.signal)
      for (const reader of this.#readers) await reader.finish()
      await this.#gpu.finish()
    } finally {
      this.dispose()
    }
  }

  /** Ends what was begun for reading. */
  dispose(): void {
    this.#context.dispose()
  }

  async #note(
    stored: StoredMatrix,
    { name, shape }: TensorSpec,
    wanted: AffineQuantization | undefined,
  ): Promise<WeightSlice[]> {
    this.#stored.push(stored)
    for (const { byteLength } of stored.tensors) this.#totalBytes += byteLength
    const quantization = stored.quantizationAfter(wanted)
    const format = weightFormat(quantization)
    const slices = await this.#gpu.allocating(name, () => allocateSlices(this.#gpu, name, format, shape))
    const reader = await stored.rows(this.#context, quantization)
    this.#readers.push(reader)
    for (const slice of slices) {
      for (const block of reader.blocks(slice)) {
        this.#jobs.push(async () => this.#keepUp(await block.load(slice)))
      }
    }
    return slices
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
  /** What stored matrices lose on their way, and how many of them: a sentence for each kind. Mostly none. */
  readonly losses: readonly string[]
  /** Reads every byte. To be called once. */
  read(): Promise<void>
}

/**
 * Allocates all weights of a model. Their shapes and formats come from the checkpoint's headers, so that kernels can
 * be compiled for them and bound to them while the bytes are read.
 * @throws what the checkpoint throws for missing or mismatched tensors; `device.out-of-memory`
 */
export async function allocateWeights(
  gpu: Gpu,
  checkpoint: Checkpoint,
  config: ModelConfig,
  options: LoadWeightsOptions,
): Promise<AllocatedWeights> {
  const loader = new WeightLoader(gpu, checkpoint, options)
  try {
    const weights = await allocate(gpu, loader, config, options.positions)
    return { weights, losses: loader.losses, read: () => loader.run() }
  } catch (error) {
    loader.dispose()
    throw error
  }
}

async function allocate(
  gpu: Gpu,
  loader: WeightLoader,
  config: ModelConfig,
  positions: number,
): Promise<ModelWeights> {
  const tensors = modelTensors(config)
  const layer = async (names: LayerTensors): Promise<LayerWeights> => {
    const weights: Partial<Record<string, GPUBuffer | LinearWeight>> = {}
    // One after the other, so that weights are read in the order of the computation.
    for (const operation of LAYER) {
      if (operation.kind === 'norm') weights[operation.weight] = await loader.vector(names[operation.weight])
      if (operation.kind !== 'linear') continue
      const { weight, bias } = operation
      weights[weight] = await loader.matrix(names[weight], bias && names[bias])
    }
    return weights as LayerWeights
  }
  const embedding = await loader.matrix(tensors.embedding)
  const layers: LayerWeights[] = []
  for (const names of tensors.layers) layers.push(await layer(names))
  return {
    embedding,
    layers,
    finalNorm: await loader.vector(tensors.finalNorm),
    output: await loader.matrix(tensors.output),
    ropeTable: gpu.upload('weights', 'rope table', ropeTable(positions, config.headDim, config.ropeBase)),
  }
}

/**
 * Loads all weights of a model.
 * @throws what the checkpoint throws for missing, mismatched or damaged tensors; `device.out-of-memory`
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
