export { type Divergence, meanDivergence, promptDivergence } from './divergence.js'
export type {
  Chunk,
  ChunkOutput,
  Engine,
  RowOutput,
  SequenceStart,
  Slot,
  Step,
  StepOutput,
  SuspendedSequence,
} from './engine.js'
export { computeLogits } from './logits.js'
export type { ModelDevice } from './model-device.js'
export { checkWasmSize, OnnxDevice } from './onnx/device.js'
export { isOnnxModel, type OnnxModelFiles, openOnnxModel } from './onnx/model-files.js'
export { loadOnnxRuntime, type OnnxRuntime, type OnnxRuntimeLoader } from './onnx/runtime.js'
export {
  OFFICIAL_SAMPLING,
  type ResolvedSampling,
  resolveSampling,
  SAMPLING_SHAPE,
  type SamplingOptions,
} from './sampling-options.js'
export { modelBase } from './variants/model-base.js'
export { previewVariants, type VariantPreview } from './variants/preview-variants.js'
export { VARIANT_TABLE } from './variants/table.js'
export { platformTuningStore } from './variants/tuning-store.js'
export {
  checkVariants,
  VARIANTS,
  VARIANTS_SCHEMA,
  type VariantChoice,
  type VariantChoices,
  type VariantName,
  type VariantOf,
  type Variants,
} from './variants/variants.js'
export { cacheBytes } from './webgpu/cache-memory.js'
export { WebGpuDevice } from './webgpu/device.js'
export { WebGpuEngine } from './webgpu/engine.js'
export {
  cachePages,
  checkSizes,
  DEFAULT_SEQUENCES,
  type EngineOptions,
  MOST_CHUNK_ROWS,
  PREFIX_ROWS,
} from './webgpu/engine-options.js'
export type { StepPlan } from './webgpu/plans.js'
