import { type ByteSource, type Checkpoint, openSource, type SourceLocation } from '../../checkpoint/index.js'
import { hasCode } from '../../errors/index.js'
import { openGpu } from '../../gpu/index.js'
import { checkOptions } from '../../schema/index.js'
import {
  checkSizes,
  checkVariants,
  isOnnxModel,
  platformTuningStore,
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
import { exportInMemory } from './export-in-memory.js'
import { loadOnnxModel } from './load-onnx-model.js'
import { contextLengthOf, LOAD_MODEL_SHAPE, type LoadModelOptions } from './load-options.js'
import { LoadReport } from './load-report.js'
import { LocalModel } from './local-model.js'
import { findDamage, verifyFiles } from './verify-files.js'

/** Opens a checkpoint; undefined where there is an ONNX model instead. Looks for that last: few have one, and servers are asked. */
async function openUnlessOnnx(
  source: ByteSource,
  options: LoadModelOptions,
): Promise<Checkpoint | undefined> {
  const isOnnx = () => isOnnxModel(source, options.signal)
  if (source.file !== undefined && (await isOnnx())) return undefined
  try {
    return await openModelCheckpoint(source, options)
  } catch (error) {
    if (hasCode(error, 'source.not-found') && source.file === undefined && (await isOnnx())) return undefined
    throw error
  }
}

/**
 * Loads a ChatGLM3 model onto the GPU: the official float16 checkpoint, an official or own quantized one, from
 * wherever it is. A folder with `model.onnx` is run by ONNX Runtime.
 *
 * @param source a folder's path (Node), a URL, files of a file input, a directory handle, or `hf:owner/name`
 * @throws `adapter.none`, CheckpointError and its kinds, `checkpoint.model-unsupported`, `checkpoint.tokenizer-missing`, `device.out-of-memory`,
 *   `adapter.limit`, `adapter.shader-refused`, `option.invalid`, and the signal's reason
 */
export async function loadModel(source: SourceLocation, options: LoadModelOptions = {}): Promise<LocalModel> {
  checkOptions(LOAD_MODEL_SHAPE, options)
  const { activations = 'int8', maxWaiting, signal, onProgress } = options
  const quantization = options.quantization && resolveQuantization(options.quantization)
  const opened = await openSource(source, options)
  if (options.verify) await verifyFiles(opened, options)
  const checkpoint = await openUnlessOnnx(opened, options)
  if (!checkpoint) return loadOnnxModel(opened, options)
  if (options.engine === 'onnx') {
    const { quantization: _, ...others } = options
    return loadOnnxModel(await exportInMemory(opened, checkpoint, options), others)
  }
  const config = parseModelConfig(checkpoint.config)
  const contextLength = contextLengthOf(options, config)
  checkSizes({ ...options, contextLength })
  const { variants = {} } = options
  checkVariants(variants)
  const tokenizer = await loadTokenizer(checkpoint, signal)
  const report = new LoadReport(onProgress)
  const looking = options.verify ? undefined : findDamage(opened, signal)
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
    const damage = await unlessAborted(Promise.resolve(looking), signal)
    if (damage) report.warn(damage)
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
