export { type Divergence, meanDivergence, promptDivergence } from './divergence.js'
export {
  OFFICIAL_SAMPLING,
  type ResolvedSampling,
  resolveSampling,
  type SamplingOptions,
} from './sampling-options.js'
export { previewVariants, type VariantPreview } from './variants/preview-variants.js'
export { platformTuningStore } from './variants/tuning-store.js'
export {
  checkVariants,
  VARIANTS,
  type VariantChoice,
  type VariantChoices,
  type VariantName,
  type VariantOf,
  type Variants,
} from './variants/variants.js'
export {
  Engine,
  type EngineOptions,
  type EnginePrompt,
  MOST_CHUNK_ROWS,
  PREFIX_ROWS,
  type PrefillOptions,
} from './webgpu/engine.js'
export type { StepPlan } from './webgpu/token-loop.js'
