import type { ByteSource } from '../../checkpoint/index.js'
import { hasCode, invalidOption } from '../../errors/index.js'
import { type DeviceChoice, isSoftwareAdapter, requestAdapter } from '../../gpu/index.js'
import { isNode } from '../../platform/index.js'
import {
  DEFAULT_SEQUENCES,
  loadOnnxRuntime,
  OnnxDevice,
  type OnnxModelFiles,
  openOnnxModel,
} from '../engine/index.js'
import { loadTokenizerOf } from '../model/index.js'
import { contextLengthOf, type LoadModelOptions } from './load-options.js'
import { LoadReport } from './load-report.js'
import { LocalModel } from './local-model.js'

/** Rows of a chunk of a prompt: the logits of all of them are computed, and those of a large vocabulary take room. */
const CHUNK_ROWS = 64

/** Options that say how this project's own kernels compute. */
const OWN_OPTIONS = ['quantization', 'variants', 'cacheTokens', 'without'] as const

/**
 * Loads an ONNX model into ONNX Runtime: on WebGPU where there is a GPU, else in WebAssembly, or natively in Node.
 * @throws `option.invalid` for options of checkpoints, `adapter.none` where the runtime is missing, `adapter.limit`,
 *   `checkpoint.corrupt`, `checkpoint.model-unsupported`, `checkpoint.shard-missing`, `checkpoint.tokenizer-missing`, and the
 *   signal's reason
 */
export async function loadOnnxModel(source: ByteSource, options: LoadModelOptions): Promise<LocalModel> {
  const {
    signal,
    onProgress,
    maxSequences = DEFAULT_SEQUENCES,
    chunkTokens = CHUNK_ROWS,
    maxWaiting,
  } = options
  const own = OWN_OPTIONS.find((name) => options[name] !== undefined)
  if (options.engine === 'webgpu') {
    throw invalidOption(
      'engine',
      'webgpu',
      '"onnx", or nothing: kernels of this project do not run ONNX models',
    )
  }
  if (own) throw invalidOption(own, options[own], 'nothing for an ONNX model: it is as it was exported')
  const files = await openOnnxModel(source, signal)
  const contextLength = contextLengthOf(options, files.config)
  const tokenizer = await loadTokenizerOf(source, signal)
  const loaded = await loadOnnxRuntime(options.onnxRuntime, () => canUseGpu(files, options.device))
  const report = new LoadReport(onProgress)
  try {
    const device = await OnnxDevice.create(
      loaded,
      files,
      { contextLength, maxSequences, chunkTokens: Math.min(chunkTokens, contextLength) },
      { signal, onProgress: (done, total) => report.bytes(done, total) },
    )
    signal?.throwIfAborted()
    return new LocalModel(device.engine, device, undefined, tokenizer, maxWaiting)
  } finally {
    report.end()
  }
}

/**
 * Whether there is an adapter that computes what the graph does. Node has a faster runtime for CPUs than a software adapter;
 * pages have none.
 */
async function canUseGpu({ element }: OnnxModelFiles, device: DeviceChoice = 'auto'): Promise<boolean> {
  if (device === 'software') return false
  try {
    const { info, features } = await requestAdapter(device)
    if (isNode && isSoftwareAdapter(info)) return false
    return element !== 'float16' || features.has('shader-f16')
  } catch (error) {
    if (hasCode(error, 'adapter.none')) return false
    throw error
  }
}
