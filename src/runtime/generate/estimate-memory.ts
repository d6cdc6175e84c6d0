import {
  type AffineQuantization,
  chatGLMQuantizationBits,
  parseQuantizationConfig,
  quantizationOf,
} from '../../checkpoint/index.js'
import { cacheBytes, cachePages, DEFAULT_SEQUENCES, MOST_CHUNK_ROWS } from '../engine/index.js'
import {
  type ModelConfig,
  modelTensors,
  parseModelConfig,
  quantizedFormat,
  resolveQuantization,
  rowBytes,
  type TensorSpec,
  tensorList,
} from '../model/index.js'
import { DEFAULT_CONTEXT_LENGTH, type LoadModelOptions } from './load-model.js'

export type EstimateMemoryOptions = Pick<
  LoadModelOptions,
  'quantization' | 'contextLength' | 'maxSequences' | 'cacheTokens'
>

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

/** The group size that floats, or the official form, are given: as `quantizationAfter`. */
function inGroups(bits: 4 | 8, columns: number, most: number): AffineQuantization | undefined {
  const groupSize = ([64, 32] as const).find((size) => size <= most && columns % size === 0)
  return groupSize && { bits, groupSize }
}

/** How a matrix lies on the GPU, by what `config.json` says of it. */
function quantizationOnGpu(
  json: unknown,
  { name, shape }: TensorSpec,
  wanted: AffineQuantization | undefined,
): AffineQuantization | undefined {
  const stored = quantizationOf(parseQuantizationConfig(json), name)
  if (stored) return stored
  // `quantize()` of the official code leaves embedding and output layer as they are.
  const official = name.includes('.layers.') ? chatGLMQuantizationBits(json) : undefined
  if (official) return inGroups(official, shape[1], 64)
  return wanted && inGroups(wanted.bits, shape[1], wanted.groupSize)
}

/** Bytes of a row of all activations: prefill's in f32, and a copy of the widest in 8 bits with its ranges. */
function activationRow({ hidden, ffn, heads, kvGroups, headDim }: ModelConfig): number {
  const floats = 4 + hidden + Math.max(hidden, heads * headDim) + (heads + 2 * kvGroups) * headDim + 3 * ffn
  return 4 * floats + 1.25 * ffn
}

/**
 * What a model will need on the GPU, before any of its weights is read: to compare with the GPU's memory and with
 * `largestBuffer`'s limit before a download. Weights and cache are exact, a P-Tuning prefix comes on top.
 *
 * @param config the parsed `config.json`
 * @throws ModelConfigError, ConfigError, InvalidOptionError
 */
export function estimateMemory(config: unknown, options: EstimateMemoryOptions = {}): MemoryEstimate {
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
    const quantization = columns === undefined ? undefined : quantizationOnGpu(config, tensor, wanted)
    const format = quantization ? quantizedFormat(quantization) : ({ type: 'f16' } as const)
    const { weightBytes, groupBytes } = rowBytes(format, columns ?? 1)
    weights += aligned(rows * weightBytes) + (groupBytes > 0 ? 2 * aligned(rows * groupBytes) : 0)
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
