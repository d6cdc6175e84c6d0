export { adapterName, type DeviceChoice, openGpu, requestAdapter } from './adapter.js'
export type { ChatDelta, ChatOptions, ChatReply } from './chat.js'
export type { AdapterInfo, ChatModel, MemoryUse, Prompt } from './chat-model.js'
export { type ModelConfig, parseModelConfig } from './config.js'
export { type ConvertOptions, type ConvertResult, convertCheckpoint } from './convert.js'
export { DAWN_TOGGLES } from './dawn-toggles.js'
export { type Divergence, meanDivergence, promptDivergence } from './divergence.js'
export { Engine, type EngineOptions, type EnginePrompt, type PrefillOptions } from './engine.js'
export * from './errors.js'
export { type EstimateMemoryOptions, estimateMemory, type MemoryEstimate } from './estimate-memory.js'
export type {
  BatchToken,
  GeneratedToken,
  GenerateOptions,
  Generation,
  GenerationStats,
} from './generation.js'
export { type LoadModelOptions, loadModel, type Progress } from './load-model.js'
export { loadTokenizer, MissingTokenizerError } from './load-tokenizer.js'
export { loadWeights } from './load-weights.js'
export type { LoadPrefixOptions, LogitsOptions, Model } from './model.js'
export { type Prefix, type PrefixHandle, prefixWidth, uploadPrefix } from './prefix.js'
export { previewVariants, type VariantPreview } from './preview-variants.js'
export { OFFICIAL_SAMPLING, resolveSampling, type SamplingOptions } from './sampling-options.js'
export { Stream } from './stream.js'
export { modelTensors, PREFIX_ENCODER, type TensorSpec, tensorList } from './tensors.js'
export type { StepPlan } from './token-loop.js'
export {
  VARIANTS,
  type VariantChoice,
  type VariantChoices,
  type VariantName,
  type VariantOf,
  type Variants,
} from './variants.js'
export type { LayerWeights, LinearWeight, ModelBase, ModelWeights, WeightSlice } from './weights.js'
