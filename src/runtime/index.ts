export * from '../errors/index.js'
export { adapterName, type DeviceChoice, openGpu, requestAdapter } from '../gpu/adapter.js'
export { DAWN_TOGGLES } from '../gpu/dawn-toggles.js'
export { type ConvertOptions, type ConvertResult, convertCheckpoint } from './convert/convert.js'
export { type Divergence, meanDivergence, promptDivergence } from './engine/divergence.js'
export { type EstimateMemoryOptions, estimateMemory, type MemoryEstimate } from './engine/estimate-memory.js'
export { OFFICIAL_SAMPLING, resolveSampling, type SamplingOptions } from './engine/sampling-options.js'
export { previewVariants, type VariantPreview } from './engine/variants/preview-variants.js'
export {
  VARIANTS,
  type VariantChoice,
  type VariantChoices,
  type VariantName,
  type VariantOf,
  type Variants,
} from './engine/variants/variants.js'
export { Engine, type EngineOptions, type EnginePrompt, type PrefillOptions } from './engine/webgpu/engine.js'
export type { StepPlan } from './engine/webgpu/token-loop.js'
export type { ChatDelta, ChatOptions, ChatReply } from './generate/chat.js'
export type { AdapterInfo, ChatModel, MemoryUse, Prompt } from './generate/chat-model.js'
export type {
  BatchToken,
  GeneratedToken,
  GenerateOptions,
  Generation,
  GenerationStats,
} from './generate/generation.js'
export { type LoadModelOptions, loadModel, type Progress } from './generate/load-model.js'
export type { LoadPrefixOptions, LogitsOptions, Model } from './generate/model.js'
export { Stream } from './generate/stream.js'
export { type ModelConfig, parseModelConfig } from './model/config.js'
export { loadTokenizer, MissingTokenizerError } from './model/load-tokenizer.js'
export { loadWeights } from './model/load-weights.js'
export { type Prefix, type PrefixHandle, prefixWidth, uploadPrefix } from './model/prefix.js'
export { modelTensors, PREFIX_ENCODER, type TensorSpec, tensorList } from './model/tensors.js'
export type { LayerWeights, LinearWeight, ModelBase, ModelWeights, WeightSlice } from './model/weights.js'
