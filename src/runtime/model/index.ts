export { type ModelConfig, parseModelConfig } from './config.js'
export { loadTokenizer, MissingTokenizerError } from './load-tokenizer.js'
export { allocateWeights, loadWeights } from './load-weights.js'
export { inOrder, unlessAborted } from './parallel.js'
export { loadPrefix, type Prefix, type PrefixHandle, prefixWidth, uploadPrefix } from './prefix.js'
export { type QuantizedRows, Quantizer } from './quantizer.js'
export { resolveQuantization } from './resolve-quantization.js'
export { CHUNK_BYTES, rowBlocks } from './row-blocks.js'
export {
  FLOAT_DTYPES,
  matrixBase,
  quantizationAfter,
  quantizedFormat,
  rowBytes,
  type StoredMatrix,
  storedMatrix,
  storedTensors,
} from './stored-matrix.js'
export { modelTensors, PREFIX_ENCODER, type TensorSpec, tensorList } from './tensors.js'
export type {
  LayerWeights,
  LinearShape,
  LinearWeight,
  ModelBase,
  ModelShape,
  ModelWeights,
  WeightSlice,
} from './weights.js'
