export { BlockContext } from './blocks/block-context.js'
export type { RowReader, StoredMatrix } from './blocks/block-reader.js'
export { announcedMatrix, storedMatrix } from './blocks/block-readers.js'
export { FLOAT_DTYPES } from './blocks/float.js'
export { MATRIX_PARTS, type MatrixRows, rowBytes, weightFormat } from './blocks/matrix-layout.js'
export { blockRows, CHUNK_BYTES } from './blocks/row-blocks.js'
export { type ModelConfig, parseModelConfig } from './config.js'
export { loadTokenizer } from './load-tokenizer.js'
export { allocateWeights, loadWeights } from './load-weights.js'
export { PREFIX_ENCODER } from './names/hf.js'
export { inOrder, unlessAborted } from './parallel.js'
export { loadPrefix, type Prefix, type PrefixHandle, prefixWidth, uploadPrefix } from './prefix.js'
export { resolveQuantization } from './resolve-quantization.js'
export { modelTensors, type TensorSpec, tensorList } from './tensors.js'
export { weightSlices } from './weight-slices.js'
export type {
  LayerWeights,
  LinearShape,
  LinearWeight,
  ModelBase,
  ModelShape,
  ModelWeights,
  WeightSlice,
} from './weights.js'
