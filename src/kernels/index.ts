export {
  ADAMW_WORDS,
  type AdamWBuffers,
  type AdamWSettings,
  adamWWords,
  compileAdamW,
} from './adam-w/adam-w.js'
export { type AttentionBuffers, type AttentionConstants, compileAttention } from './attention/attention.js'
export {
  type AttentionBackward,
  type AttentionBackwardBuffers,
  type AttentionBackwardConstants,
  compileAttentionBackward,
} from './attention-backward/attention-backward.js'
export {
  type AttentionCombineBuffers,
  compileAttentionCombine,
} from './attention-combine/attention-combine.js'
export {
  type AttentionDecodeBuffers,
  compileAttentionDecode,
  decodesOnSubgroupMatrices,
} from './attention-decode/attention-decode.js'
export {
  type AttentionPrefillConstants,
  compileAttentionPrefill,
  fitsAttentionTiled,
  usesSubgroupMatrices,
} from './attention-prefill/attention-prefill.js'
export {
  type AttentionTraining,
  type AttentionTrainingBuffers,
  compileAttentionTraining,
} from './attention-training/attention-training.js'
export {
  type BanSequencesBuffers,
  bannedSequenceWords,
  compileBanSequences,
} from './ban-sequences/ban-sequences.js'
export {
  type BiasGradient,
  type BiasGradientBuffers,
  compileBiasGradient,
} from './bias-gradient/bias-gradient.js'
export { type CacheAppendBuffers, compileCacheAppend } from './cache-append/cache-append.js'
export { ACTIVATION_BLOCK } from './common/activation-block.js'
export { ATTENTION_SPLITS } from './common/decode-attention.js'
export type { HeadShape } from './common/heads.js'
export type { LinearBuffers, LinearConstants } from './common/linear.js'
export type {
  CompileTransposed,
  TransposedBuffers,
  TransposedConstants,
  TransposedProduct,
} from './common/linear-transposed.js'
export type { RowBlocksConstants } from './common/sum-parts.js'
export {
  sequenceBounds,
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  trainsOnSubgroupMatrices,
} from './common/training-attention.js'
export type { QuantizedFormat, WeightBuffers, WeightFormat } from './common/weight.js'
export { type CrossEntropyBuffers, compileCrossEntropy } from './cross-entropy/cross-entropy.js'
export { type Dispatch, encodeDispatches } from './dispatch.js'
export { compileEmbedding, type EmbeddingBuffers, type EmbeddingConstants } from './embedding/embedding.js'
export {
  compileEmbeddingGradient,
  type EmbeddingGradientBuffers,
} from './embedding-gradient/embedding-gradient.js'
export { type EmbeddingGroups, embeddingGroups } from './embedding-gradient/embedding-groups.js'
export * from './errors.js'
export { compileGatherRows, compileScatterRows, type GatherRowsBuffers } from './gather-rows/gather-rows.js'
export {
  type BufferRange,
  Gpu,
  type GpuOptions,
  isSoftwareAdapter,
  type MemoryKind,
  type OptionalFeature,
  STORAGE_USAGE,
  type SubgroupMatrixConfig,
} from './gpu.js'
export {
  compileGradientNorm,
  GRADIENT_NORM_PARTS,
  type GradientNormBuffers,
} from './gradient-norm/gradient-norm.js'
export {
  type ActivationBuffers,
  compileLinearDecode,
  type LinearDecodeBuffers,
  type LinearDecodeConstants,
} from './linear-decode/linear-decode.js'
export {
  compileLinearWeightGradient,
  type LinearWeightGradientBuffers,
  type LinearWeightGradientConstants,
} from './linear-weight-gradient/linear-weight-gradient.js'
export { compileMatmul } from './matmul/matmul.js'
export {
  compileMatmulFloat,
  type MatmulFloatBuffers,
  type MatmulFloatConstants,
} from './matmul-float/matmul-float.js'
export {
  compileMatmulInt8,
  fitsMatmulInt8,
  type MatmulInt8Buffers,
} from './matmul-int8/matmul-int8.js'
export {
  compileQuantizeActivations,
  type QuantizeActivationsBuffers,
  type QuantizedActivations,
  quantizedActivationBytes,
} from './matmul-int8/quantize-activations.js'
export { compileMatmulSubgroup, fitsMatmulSubgroup } from './matmul-subgroup/matmul-subgroup.js'
export { halfMatrixShape } from './matmul-subgroup/matrix-shape.js'
export { compileMatmulTransposed } from './matmul-transposed/matmul-transposed.js'
export { compileMatmulTransposedSubgroup } from './matmul-transposed-subgroup/matmul-transposed-subgroup.js'
export { compileMatvec, MATVEC_MAX_ROWS } from './matvec/matvec.js'
export { logitBiasFloats, promptCounts } from './penalize/counts.js'
export { compilePenalize, type PenalizeBuffers } from './penalize/penalize.js'
export {
  compilePrefixDropout,
  compilePrefixDropoutBackward,
  type PrefixDropoutBuffers,
  type PrefixDropoutConstants,
  prefixDropoutWords,
} from './prefix-dropout/prefix-dropout.js'
export { compileQuantize, type QuantizeBuffers, type QuantizeConstants } from './quantize/quantize.js'
export { compileRmsNorm, type RmsNormBuffers, type RmsNormConstants } from './rms-norm/rms-norm.js'
export {
  compileRmsNormBackward,
  type RmsNormBackwardBuffers,
  type RmsNormBackwardConstants,
} from './rms-norm-backward/rms-norm-backward.js'
export {
  compileRmsNormWeightGradient,
  type RmsNormWeightGradient,
  type RmsNormWeightGradientBuffers,
  type RmsNormWeightGradientConstants,
} from './rms-norm-weight-gradient/rms-norm-weight-gradient.js'
export { compileRope, type RopeBuffers, ropeTable } from './rope/rope.js'
export {
  compileRoundActivations,
  type RoundActivationsBuffers,
} from './round-activations/round-activations.js'
export { compileRoundHalves, type RoundHalvesBuffers } from './round-halves/round-halves.js'
export { MAX_STOP_IDS, SAMPLING_PARAMETER_WORDS, samplingParameterWords } from './sample/parameters.js'
export { compileSample, type SampleBuffers } from './sample/sample.js'
export {
  historyWords,
  OUTPUT_WORDS,
  readOutput,
  type SampledId,
  SEQUENCE_WORDS,
  sequenceWords,
} from './sample/sequence.js'
export { compileSumRows, type SumRowsBuffers } from './sum-rows/sum-rows.js'
export { compileSwiglu, type SwigluBuffers } from './swiglu/swiglu.js'
export { compileSwigluBackward, type SwigluBackwardBuffers } from './swiglu-backward/swiglu-backward.js'
export { compileTanh } from './tanh/tanh.js'
export { compileTanhBackward, type TanhBackwardBuffers } from './tanh-backward/tanh-backward.js'
