import { CheckpointError, lookAt } from '../../errors/index.js'
import { checkOptions, type OptionShape } from '../../schema/index.js'
import { cacheBytes, cachePages, DEFAULT_SEQUENCES, MOST_CHUNK_ROWS } from '../engine/index.js'
import {
  activationWidths,
  announcedMatrix,
  MATRIX_PARTS,
  type ModelConfig,
  modelTensors,
  parseModelConfig,
  resolveQuantization,
  rowBytes,
  tensorList,
  weightFormat,
} from '../model/index.js'
import { DEFAULT_CONTEXT_LENGTH, LOAD_MODEL_SHAPE, type LoadModelOptions } from './load-options.js'

export type EstimateMemoryOptions = Pick<
  LoadModelOptions,
  'quantization' | 'contextLength' | 'maxSequences' | 'cacheTokens'
>

const { quantization, contextLength, maxSequences, cacheTokens } = LOAD_MODEL_SHAPE
const SHAPE: OptionShape<EstimateMemoryOptions> = { quantization, contextLength, maxSequences, cacheTokens }

/** What a model will need on the GPU, in bytes. */
export interface MemoryEstimate {
  readonly weights: number
  readonly cache: number
  /** About: which kernels are used is not known before. */
  readonly activations: number
  readonly total: number
  /**
   * The largest buffer that cannot be split: compare it with the adapter's `maxStorageBufferBindingSize`. Weights are
   * split where they are larger.
   */
  readonly largestBuffer: number
}

/** Bytes of a row of all activations: prefill's in f32, and a copy of the widest in 8 bits with its ranges. */
function activationRow(config: ModelConfig): number {
  const { hidden, normed, attended, qkv, gateUp, activated } = activationWidths(config)
  const floats = 4 + hidden + Math.max(normed, attended) + qkv + gateUp + activated
  return 4 * floats + 1.25 * activated
}

/**
 * What a model will need on the GPU, before any of its weights is read: to compare with the GPU's memory and with
 * `largestBuffer`'s limit before a download. Weights and cache are exact, a P-Tuning prefix comes on top.
 *
 * @param config the parsed `config.json`
 * @throws `checkpoint.model-unsupported`, `checkpoint.config-invalid`, `checkpoint.not-quantizable`, `option.invalid`
 */
export function estimateMemory(config: unknown, options: EstimateMemoryOptions = {}): MemoryEstimate {
  checkOptions(SHAPE, options)
  const unreadable = (cause: unknown) =>
    new CheckpointError('checkpoint.config-invalid', 'config.json: its fields cannot be read.', { cause })
  return lookAt(unreadable, () => estimate(config, options))
}

function estimate(config: unknown, options: EstimateMemoryOptions): MemoryEstimate {
  const shape = parseModelConfig(config)
  const { headDim, vocabulary, maxContextLength } = shape
  const { maxSequences = DEFAULT_SEQUENCES, cacheTokens } = options
  const { contextLength = Math.min(DEFAULT_CONTEXT_LENGTH, maxContextLength) } = options
  const wanted = options.quantization && resolveQuantization(options.quantization)
  const aligned = (bytes: number) => Math.max(16, Math.ceil(bytes / 16) * 16)

  // cos and sin of every position, for a quarter of the head's elements.
  let weights = aligned(contextLength * (headDim / 4) * 8)
  for (const tensor of tensorList(modelTensors(shape))) {
    const [rows, columns] = tensor.shape
    const isMatrix = columns !== undefined
    const quantization = isMatrix ? announcedMatrix(config, tensor).quantizationAfter(wanted) : undefined
    const bytesPerRow = rowBytes(weightFormat(quantization), columns ?? 1)
    for (const part of MATRIX_PARTS) if (bytesPerRow[part] > 0) weights += aligned(rows * bytesPerRow[part])
  }
  const pages = cachePages(contextLength, cacheTokens)
  const cache = cacheBytes(shape, { pages, slots: maxSequences, slotPages: cachePages(contextLength) })
  const rows = Math.min(contextLength, MOST_CHUNK_ROWS)
  // Logits, scores, counts and biases of each sequence.
  const sampling = 4 * maxSequences * vocabulary * 4
  const activations = Math.max(rows, maxSequences) * activationRow(shape) + sampling
  const largestBuffer = Math.max(cache.buffer, rows * 2 * shape.ffn * 4, maxSequences * vocabulary * 4)
  const total = weights + cache.total + activations
  return { weights, cache: cache.total, activations, total, largestBuffer }
}
