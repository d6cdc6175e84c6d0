/** What benchmarks use below the public API, in one place. */

export {
  formatQuantizationConfig,
  openCheckpoint,
  openCheckpointWriter,
  quantizedTensors,
} from '../../src/checkpoint/index.js'
export { LoraTraining } from '../../src/finetune/engine/lora-training.js'
export { PrefixTraining, planTraining } from '../../src/finetune/engine/prefix-training.js'
export type { PlannedMemory, PrefixTrainingOptions } from '../../src/finetune/engine/training-engine.js'
export * from '../../src/gpu/index.js'
export { attentionReference } from '../../src/kernels/attention/attention/attention.reference.js'
export { ropeReference } from '../../src/kernels/attention/rope/rope.reference.js'
export { ACTIVATION_BLOCK } from '../../src/kernels/common/activation-block.js'
export { quantizedActivationsReference } from '../../src/kernels/common/activation-block.reference.js'
export { packHalves, unpackHalves } from '../../src/kernels/common/half.js'
export { linearReference } from '../../src/kernels/common/linear.reference.js'
export { linearTransposedReference } from '../../src/kernels/common/linear-transposed.reference.js'
export * from '../../src/kernels/index.js'
export { rmsNormReference } from '../../src/kernels/layers/rms-norm/rms-norm.reference.js'
export { swigluReference } from '../../src/kernels/layers/swiglu/swiglu.reference.js'
export { quantizeActivationsReference } from '../../src/kernels/linear/matmul-int8/quantize-activations.reference.js'
export { halfTileWords } from '../../src/kernels/testing/half-tiles.js'
export {
  type ChunkOutput,
  type Divergence,
  type EngineOptions,
  modelBase,
  promptDivergence,
  type RowOutput,
  resolveSampling,
  type SequenceStart,
  type Slot,
  type StepOutput,
  type StepPlan,
  WebGpuDevice,
  WebGpuEngine,
} from '../../src/runtime/engine/index.js'
export { SlotTables } from '../../src/runtime/engine/webgpu/slot-tables.js'
export type { Constraint } from '../../src/runtime/generate/constraint/constraint.js'
export { GrammarEngine } from '../../src/runtime/generate/constraint/grammar-engine.js'
export { jsonSchemaGrammar } from '../../src/runtime/generate/constraint/json-schema.js'
export { LocalModel } from '../../src/runtime/generate/local-model.js'
export { Scheduler } from '../../src/runtime/generate/scheduler.js'
export type { Sequence } from '../../src/runtime/generate/sequence.js'
export {
  type AdapterHandle,
  activationWidths,
  LAYER,
  LAYER_PRODUCTS,
  type LayerWeights,
  type LinearWeight,
  loadWeights,
  type ModelBase,
  type ModelConfig,
  type ModelWeights,
  matrixLabel,
  modelTensors,
  type Prefix,
  type ProductRole,
  parseModelConfig,
  productsOf,
  type StoredLora,
  tensorList,
  type WeightSlice,
  weightSlices,
} from '../../src/runtime/model/index.js'
export { Tokenizer } from '../../src/tokenizer/index.js'
export {
  CHATGLM3_6B as CHATGLM3_6B_CONFIG,
  type ChatGLMShape,
  chatglmConfig,
} from '../../tools/chatglm-config.js'
export { standInTokenizer } from '../../tools/stand-in-tokenizer.js'
