import type { Progress } from '../../checkpoint/index.js'
import {
  type AffineQuantization,
  openCheckpoint,
  type SourceLocation,
  type SourceOptions,
} from '../../checkpoint/index.js'
import { InvalidOptionError } from '../../errors/index.js'
import { type DeviceChoice, type GpuOptions, openGpu } from '../../gpu/index.js'
import { checkVariants, Engine, platformTuningStore, type Variants } from '../engine/index.js'
import {
  allocateWeights,
  loadTokenizer,
  parseModelConfig,
  resolveQuantization,
  unlessAborted,
} from '../model/index.js'
import { LoadReport } from './load-report.js'
import { Model } from './model.js'

export interface LoadModelOptions extends SourceOptions {
  /** Quantizes a float checkpoint while it loads; one that is quantized already stays as it is. */
  readonly quantization?: Partial<AffineQuantization>
  /** Positions that prompt and answer together may take. Default: the model's own, up to 8192. */
  readonly contextLength?: number
  /** Sequences that `generateBatch` runs side by side; each takes a cache of its own. Default 1. */
  readonly batchSize?: number
  /**
   * Whether activations may be rounded to 8 bits on their way into a matrix product (`int8`, the default) where integer
   * dot products are the fastest: with 4-bit weights while one sequence is decoded, with 4 or 8 bits in prompts. With
   * `float` they never are. Batches are always float once their prompts are read.
   */
  readonly activations?: 'int8' | 'float'
  /**
   * Which kernels to use where there are several, by name: see `VARIANTS`. Default: what was the fastest on this GPU when
   * a model of this shape was first loaded on it.
   */
  readonly variants?: Partial<Variants>
  /** Default: the fastest adapter there is. */
  readonly device?: DeviceChoice
  /** Features of the adapter to leave unused. */
  readonly without?: GpuOptions['without']
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

/** Positions where the caller names none and the model has more. */
export const DEFAULT_CONTEXT_LENGTH = 8192

/**
 * Loads a ChatGLM3 model onto the GPU: the official float16 checkpoint, an official or own quantized one, from
 * wherever it is.
 *
 * @param source a folder's path (Node), a URL, files of a file input, a directory handle, or `hf:owner/name`
 * @throws NoAdapterError, CheckpointError and its kinds, ModelConfigError, MissingTokenizerError, OutOfMemoryError,
 *   AdapterLimitError, ShaderCompilationError, InvalidOptionError, and the signal's reason
 */
export async function loadModel(source: SourceLocation, options: LoadModelOptions = {}): Promise<Model> {
  const { batchSize = 1, activations = 'int8', signal, onProgress } = options
  const quantization = options.quantization && resolveQuantization(options.quantization)
  const checkpoint = await openCheckpoint(source, options)
  const config = parseModelConfig(checkpoint.config)
  const contextLength = options.contextLength ?? Math.min(DEFAULT_CONTEXT_LENGTH, config.maxContextLength)
  if (!Number.isSafeInteger(contextLength) || contextLength < 2 || contextLength > config.maxContextLength) {
    throw new InvalidOptionError(
      'contextLength',
      contextLength,
      `a whole number from 2 to ${config.maxContextLength}, the positions this model was made for`,
    )
  }
  if (!Number.isSafeInteger(batchSize) || batchSize < 1 || batchSize > 64) {
    throw new InvalidOptionError('batchSize', batchSize, 'a whole number from 1 to 64')
  }
  if (activations !== 'int8' && activations !== 'float') {
    throw new InvalidOptionError('activations', activations, '"int8" or "float"')
  }
  const { variants = {} } = options
  checkVariants(variants)
  const tokenizer = await loadTokenizer(checkpoint.source, signal)
  const report = new LoadReport(onProgress)
  const gpu = await openGpu(options.device, {
    onCompile: (done, total) => report.kernels(done, total),
    ...(options.without && { without: options.without }),
  })
  try {
    const { weights, read } = await allocateWeights(gpu, checkpoint, config, {
      quantization,
      positions: contextLength,
      ...(signal && { signal }),
      onProgress: (done, total) => report.bytes(done, total),
    })
    const tuningStore = await platformTuningStore()
    const weightsReady = read().then(() => report.allBytes())
    const creating = Engine.create(gpu, config, weights, {
      contextLength,
      batchSize,
      activations,
      variants,
      weightsReady,
      ...(tuningStore && { tuningStore }),
      onMeasure: () => report.stage('tuning'),
      onRefused: (message) => report.warn(message),
    })
    // Reading feels the signal by itself; compiling would go on.
    const [engine] = await unlessAborted(Promise.all([creating, weightsReady]), signal)
    return new Model(engine, checkpoint, tokenizer, batchSize)
  } catch (error) {
    gpu.dispose()
    throw error
  } finally {
    report.end()
  }
}
