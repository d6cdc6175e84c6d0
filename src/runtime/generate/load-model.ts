import {
  type AffineQuantization,
  type Progress,
  SOURCE_SHAPE,
  type SourceLocation,
  type SourceOptions,
} from '../../checkpoint/index.js'
import { invalidOption } from '../../errors/index.js'
import { DEVICE_SCHEMA, type DeviceChoice, type GpuOptions, openGpu } from '../../gpu/index.js'
import {
  signal as abortSignal,
  anObject,
  callback,
  checkOptions,
  listOf,
  number,
  type OptionShape,
  oneOf,
  text,
  wholeNumber,
} from '../../schema/index.js'
import {
  checkSizes,
  checkVariants,
  platformTuningStore,
  type Variants,
  WebGpuDevice,
  WebGpuEngine,
} from '../engine/index.js'
import {
  allocateWeights,
  hasOwnPrefix,
  loadTokenizer,
  noteOnChatGlm2,
  openModelCheckpoint,
  parseModelConfig,
  resolveQuantization,
  unlessAborted,
} from '../model/index.js'
import { LoadReport } from './load-report.js'
import { LocalModel } from './local-model.js'

export interface LoadModelOptions extends SourceOptions {
  /** Quantizes a float checkpoint while it loads; one that is quantized already stays as it is. */
  readonly quantization?: Partial<AffineQuantization>
  /** Positions that prompt and answer together may take. Default: the model's own, up to 8192. */
  readonly contextLength?: number
  /** Sequences that run side by side, 1 to 64: those of `generateBatch`, and of calls made at the same time. Default 8. */
  readonly maxSequences?: number
  /**
   * Tokens that the cache has room for, of all sequences and prefixes together. Where it is too small for those that run,
   * the youngest wait. Default: what one sequence of `contextLength` takes behind a prefix of 128.
   */
  readonly cacheTokens?: number
  /**
   * The most tokens of prompts that a step computes, beside one of each answer under way: more is faster for prompts, less
   * delays answers less. Default 512; 32 on a software adapter.
   */
  readonly chunkTokens?: number
  /** Sequences that may wait for a place; more are refused with `busy.waiting`. Default 1024. */
  readonly maxWaiting?: number
  /**
   * Whether activations may be rounded to 8 bits on their way into a matrix product (`int8`, the default) where integer
   * dot products are the fastest: with 4-bit weights while one sequence is decoded, with 4 or 8 bits in prompts. With
   * `float` they never are. Where several sequences are decoded at once it is in floats, too.
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

const count = number(Number.isSafeInteger, 'a whole number')

/** Sizes are compared with the model and the adapter where these are known. */
export const LOAD_MODEL_SHAPE: OptionShape<LoadModelOptions> = {
  ...SOURCE_SHAPE,
  signal: abortSignal,
  quantization: anObject,
  contextLength: count,
  maxSequences: count,
  cacheTokens: count,
  chunkTokens: count,
  maxWaiting: wholeNumber(0),
  activations: oneOf(['int8', 'float']),
  variants: anObject,
  device: DEVICE_SCHEMA,
  without: listOf(text, 'a list of features'),
  onProgress: callback,
}

/** Positions where the caller names none and the model has more. */
export const DEFAULT_CONTEXT_LENGTH = 8192

/**
 * Loads a ChatGLM3 model onto the GPU: the official float16 checkpoint, an official or own quantized one, from
 * wherever it is.
 *
 * @param source a folder's path (Node), a URL, files of a file input, a directory handle, or `hf:owner/name`
 * @throws `adapter.none`, CheckpointError and its kinds, `checkpoint.model-unsupported`, `checkpoint.tokenizer-missing`, `device.out-of-memory`,
 *   `adapter.limit`, `adapter.shader-refused`, `option.invalid`, and the signal's reason
 */
export async function loadModel(source: SourceLocation, options: LoadModelOptions = {}): Promise<LocalModel> {
  checkOptions(LOAD_MODEL_SHAPE, options)
  const { activations = 'int8', maxWaiting, signal, onProgress } = options
  const quantization = options.quantization && resolveQuantization(options.quantization)
  const checkpoint = await openModelCheckpoint(source, options)
  const config = parseModelConfig(checkpoint.config)
  const contextLength = options.contextLength ?? Math.min(DEFAULT_CONTEXT_LENGTH, config.maxContextLength)
  if (!Number.isSafeInteger(contextLength) || contextLength < 2 || contextLength > config.maxContextLength) {
    throw invalidOption(
      'contextLength',
      contextLength,
      `a whole number from 2 to ${config.maxContextLength}, the positions this model was made for`,
    )
  }
  checkSizes({ ...options, contextLength })
  const { variants = {} } = options
  checkVariants(variants)
  const tokenizer = await loadTokenizer(checkpoint, signal)
  const report = new LoadReport(onProgress)
  const gpu = await openGpu(options.device, {
    onCompile: (done, total) => report.kernels(done, total),
    ...(options.without && { without: options.without }),
  })
  try {
    const { weights, losses, read } = await allocateWeights(gpu, checkpoint, config, {
      quantization,
      positions: contextLength,
      ...(signal && { signal }),
      onProgress: (done, total) => report.bytes(done, total),
    })
    const note = noteOnChatGlm2(checkpoint.config)
    for (const warning of [...losses, ...(note ? [note] : [])]) report.warn(warning)
    const tuningStore = await platformTuningStore()
    const weightsReady = read().then(() => report.allBytes())
    const { maxSequences, cacheTokens, chunkTokens } = options
    const sizes = { maxSequences, cacheTokens, chunkTokens }
    const creating = WebGpuEngine.create(gpu, config, weights, {
      contextLength,
      ...sizes,
      activations,
      variants,
      weightsReady,
      ...(tuningStore && { tuningStore }),
      onMeasure: () => report.stage('tuning'),
      onRefused: (message) => report.warn(message),
    })
    // Reading feels the signal by itself; compiling would go on.
    const [engine] = await unlessAborted(Promise.all([creating, weightsReady]), signal)
    const model = new LocalModel(engine, new WebGpuDevice(engine), checkpoint, tokenizer, maxWaiting)
    if (hasOwnPrefix(checkpoint)) {
      const { length } = await model.useOwnPrefix(signal)
      report.warn(
        `The model was saved together with its prefix of ${length} rows: answers use it, unless another one is given or ` +
          'prefixStrength is 0.',
      )
    }
    return model
  } catch (error) {
    gpu.dispose()
    throw error
  } finally {
    report.end()
  }
}
