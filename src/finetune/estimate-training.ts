import { invalidOption } from '../errors/index.js'
import { type ModelConfig, modelTensors, tensorList } from '../runtime/model/index.js'
import { factorSpecs } from './engine/lora-parameters.js'
import { parameterBytes, prefixParameterSpecs } from './engine/parameters.js'
import { planMemory } from './engine/training-buffers.js'
import type { PlannedMemory } from './engine/training-engine.js'
import { shapeOf } from './engine/training-shape.js'

/** What is trained: a P-Tuning v2 prefix, the factors of LoRA, or all weights. */
export type TrainingMethod = 'prefix' | 'lora' | 'sft'

export interface EstimateTrainingOptions {
  readonly method: TrainingMethod
  /** Tokens of the longest sample. Default 2048. */
  readonly tokens?: number
  /** Rows of a prefix. Default 128. */
  readonly prefixLength?: number
  /** Of the factors of LoRA, on query_key_value. Default 8. */
  readonly rank?: number
}

/** Weights of a whole model. */
export function weightCount(config: ModelConfig): number {
  return tensorList(modelTensors(config)).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  )
}

/** What is trained, in numbers and bytes with gradients and moments. */
function trained(config: ModelConfig, { method, prefixLength = 128, rank = 8 }: EstimateTrainingOptions) {
  if (method === 'sft') {
    const count = weightCount(config)
    return { count, bytes: 16 * count }
  }
  const width = 2 * config.layers * config.kvGroups * config.headDim
  const specs =
    method === 'lora'
      ? factorSpecs({ config }, { rank, roles: ['qkv'] })
      : prefixParameterSpecs({ config }, { prefixLength, prefixWidth: width }, false)
  const bytes = parameterBytes(specs)
  return { count: bytes / 16, bytes }
}

/**
 * The GPU memory that a training takes besides the weights, by purpose, before anything is loaded: what `planTrainingMemory`
 * says of a loaded model, but for the scratch of kernels, which depends on the GPU.
 * @throws `option.invalid`
 */
export function estimateTraining(
  config: ModelConfig,
  options: EstimateTrainingOptions,
): { readonly trained: number; readonly memory: readonly PlannedMemory[] } {
  const { method, tokens = 2048, prefixLength = 128 } = options
  if (!Number.isSafeInteger(tokens) || tokens < 2 || tokens > config.maxContextLength) {
    throw invalidOption('tokens', tokens, `a whole number from 2 to ${config.maxContextLength}`)
  }
  const { count, bytes } = trained(config, options)
  const rows = { prefixLength: method === 'prefix' ? prefixLength : 0, maxTokens: tokens, packed: false }
  const shape = shapeOf({ gpu: { software: false }, config }, rows)
  const step = planMemory({ config }, shape, { productScratchBytes: 0, attentionScratchBytes: 0 })
  return {
    trained: count,
    memory: [...step, { purpose: 'trained parameters, gradients and moments', bytes }],
  }
}
