export {
  type AttentionBuffers,
  type AttentionConstants,
  compileAttention,
} from './attention/attention/attention.js'
export {
  type AttentionCombineBuffers,
  compileAttentionCombine,
} from './attention/attention-combine/attention-combine.js'
export {
  type AttentionDecodeBuffers,
  canRunAttentionDecodeOnMatrices,
  compileAttentionDecode,
} from './attention/attention-decode/attention-decode.js'
export {
  type AttentionPrefillConstants,
  canRunAttentionPrefill,
  canRunAttentionPrefillOnMatrices,
  compileAttentionPrefill,
} from './attention/attention-prefill/attention-prefill.js'
export { type CacheAppendBuffers, compileCacheAppend } from './attention/cache-append/cache-append.js'
export { compileRope, type RopeBuffers, ropeTable } from './attention/rope/rope.js'
export { ACTIVATION_BLOCK } from './common/activation-block.js'
export { attentionPartsBytes, attentionSplits } from './common/decode-attention.js'
export { HALF_TILE_STEP, halfTileBytes } from './common/half-tiles.js'
export type { HeadShape } from './common/heads.js'
export type { Kernel, ScratchKernel } from './common/kernel.js'
export type { LinearBuffers, LinearConstants } from './common/linear.js'
export type {
  CompileTransposed,
  TransposedBuffers,
  TransposedConstants,
} from './common/linear-transposed.js'
export {
  PAGE_ROWS,
  type PagedCacheBuffers,
  type PagedCacheConstants,
  tableStride,
  tableWords,
} from './common/paged-cache.js'
export type { RowBlocksConstants } from './common/sum-parts.js'
export {
  canRunTrainingAttentionSubgroup,
  sequenceBounds,
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  type TrainingAttentionOptions,
} from './common/training-attention.js'
export type { QuantizedFormat, WeightBuffers, WeightFormat } from './common/weight.js'
export { kernelArgument } from './errors.js'
export {
  compileEmbedding,
  type EmbeddingBuffers,
  type EmbeddingConstants,
} from './layers/embedding/embedding.js'
export {
  compileGatherRows,
  compileScatterRows,
  type GatherRowsBuffers,
} from './layers/gather-rows/gather-rows.js'
export { compileNormBlocks, type NormBlocksBuffers } from './layers/norm-blocks/norm-blocks.js'
export { compileNormHalves, type NormHalvesBuffers } from './layers/norm-halves/norm-halves.js'
export { compileRmsNorm, type RmsNormBuffers, type RmsNormConstants } from './layers/rms-norm/rms-norm.js'
export { compileSwiglu, type SwigluBuffers } from './layers/swiglu/swiglu.js'
export { compileTanh } from './layers/tanh/tanh.js'
export {
  type ActivationBuffers,
  compileLinearDecode,
  type LinearDecodeBuffers,
  type LinearDecodeConstants,
  type LinearDecodeOptions,
} from './linear/linear-decode/linear-decode.js'
export {
  canRunLinearHalves,
  compileLinearHalves,
  type LinearHalvesBuffers,
} from './linear/linear-halves/linear-halves.js'
export {
  canRunLinearStepDots,
  compileLinearStepDots,
  type LinearStepDotsBuffers,
  type LinearStepDotsConstants,
  STEP_DOTS_MAX_ROWS,
} from './linear/linear-step-dots/linear-step-dots.js'
export {
  compileLora,
  LORA_OCTET,
  LORA_PRODUCT_WORDS,
  LORA_SLOT_WORDS,
  type LoraBuffers,
  type LoraConstants,
} from './linear/lora/lora.js'
export { compileMatmul, type MatmulOptions } from './linear/matmul/matmul.js'
export {
  compileMatmulFloat,
  type MatmulFloatBuffers,
  type MatmulFloatConstants,
} from './linear/matmul-float/matmul-float.js'
export {
  canRunMatmulInt8,
  compileMatmulInt8,
  type MatmulInt8Buffers,
} from './linear/matmul-int8/matmul-int8.js'
export {
  compileQuantizeActivations,
  type QuantizeActivationsBuffers,
  type QuantizedActivations,
  quantizedActivationBytes,
} from './linear/matmul-int8/quantize-activations.js'
export { canRunMatmulSubgroup, compileMatmulSubgroup } from './linear/matmul-subgroup/matmul-subgroup.js'
export { halfMatrixShape } from './linear/matmul-subgroup/matrix-shape.js'
export { compileMatvec, MATVEC_MAX_ROWS } from './linear/matvec/matvec.js'
export { compileQuantize, type QuantizeBuffers, type QuantizeConstants } from './linear/quantize/quantize.js'
export {
  compileRoundActivations,
  type RoundActivationsBuffers,
} from './linear/round-activations/round-activations.js'
export {
  type BanSequencesBuffers,
  bannedSequenceWords,
  compileBanSequences,
} from './sampling/ban-sequences/ban-sequences.js'
export {
  compileLogProbabilities,
  type LikelyId,
  LOG_PROBABILITY_WORDS,
  type LogProbabilitiesBuffers,
  MOST_LIKELIEST,
  NO_TARGET,
  type RowScores,
  readLogProbabilities,
} from './sampling/log-probabilities/log-probabilities.js'
export { logProbability } from './sampling/on-host/draw.js'
export { HostSampler, likeliestIds } from './sampling/on-host/sampler.js'
export { countWords, logitBiasFloats } from './sampling/penalize/counts.js'
export { compilePenalize, maskWords, type PenalizeBuffers } from './sampling/penalize/penalize.js'
export {
  MAX_STOP_IDS,
  SAMPLING_PARAMETER_WORDS,
  samplingParameterWords,
} from './sampling/sample/parameters.js'
export { compileSample, type SampleBuffers } from './sampling/sample/sample.js'
export {
  historyWords,
  OUTPUT_WORDS,
  ROW_WORDS,
  readOutput,
  type SampledId,
  SEQUENCE_WORDS,
  sequenceWords,
} from './sampling/sample/sequence.js'
export {
  ADAMW_WORDS,
  type AdamWBuffers,
  type AdamWSettings,
  adamWWords,
  compileAdamW,
} from './training/adam-w/adam-w.js'
export {
  type AttentionBackwardBuffers,
  type AttentionBackwardConstants,
  compileAttentionBackward,
} from './training/attention-backward/attention-backward.js'
export {
  type AttentionTrainingBuffers,
  compileAttentionTraining,
} from './training/attention-training/attention-training.js'
export {
  type BiasGradientBuffers,
  compileBiasGradient,
} from './training/bias-gradient/bias-gradient.js'
export { type CrossEntropyBuffers, compileCrossEntropy } from './training/cross-entropy/cross-entropy.js'
export { compileDropout, type DropoutBuffers } from './training/dropout/dropout.js'
export {
  compileEmbeddingGradient,
  type EmbeddingGradientBuffers,
} from './training/embedding-gradient/embedding-gradient.js'
export { type EmbeddingGroups, embeddingGroups } from './training/embedding-gradient/embedding-groups.js'
export {
  compileGradientNorm,
  GRADIENT_NORM_PARTS,
  type GradientNormBuffers,
} from './training/gradient-norm/gradient-norm.js'
export {
  compileLinearWeightGradient,
  type LinearWeightGradientBuffers,
  type LinearWeightGradientConstants,
} from './training/linear-weight-gradient/linear-weight-gradient.js'
export {
  compileLowRank,
  type LowRankBuffers,
  type LowRankConstants,
  type LowRankDirection,
} from './training/low-rank/low-rank.js'
export { compileMatmulTransposed } from './training/matmul-transposed/matmul-transposed.js'
export { compileMatmulTransposedSubgroup } from './training/matmul-transposed-subgroup/matmul-transposed-subgroup.js'
export {
  compilePrefixDropout,
  compilePrefixDropoutBackward,
  type PrefixDropoutBuffers,
  type PrefixDropoutConstants,
  prefixDropoutWords,
} from './training/prefix-dropout/prefix-dropout.js'
export {
  compileRmsNormBackward,
  type RmsNormBackwardBuffers,
  type RmsNormBackwardConstants,
} from './training/rms-norm-backward/rms-norm-backward.js'
export {
  compileRmsNormWeightGradient,
  type RmsNormWeightGradientBuffers,
  type RmsNormWeightGradientConstants,
} from './training/rms-norm-weight-gradient/rms-norm-weight-gradient.js'
export { compileRoundHalves, type RoundHalvesBuffers } from './training/round-halves/round-halves.js'
export { compileSumRows, type SumRowsBuffers } from './training/sum-rows/sum-rows.js'
export {
  compileSwigluBackward,
  type SwigluBackwardBuffers,
} from './training/swiglu-backward/swiglu-backward.js'
export { compileTanhBackward, type TanhBackwardBuffers } from './training/tanh-backward/tanh-backward.js'
