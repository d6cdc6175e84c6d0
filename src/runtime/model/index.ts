export { BlockContext } from './blocks/block-context.js'
export { lossesOf, type RowReader, type StoredMatrix } from './blocks/block-reader.js'
export { announcedMatrix, storedMatrix } from './blocks/block-readers.js'
export { FLOAT_DTYPES } from './blocks/float.js'
export { MATRIX_PARTS, type MatrixRows, rowBytes, weightFormat } from './blocks/matrix-layout.js'
export { blockRows, CHUNK_BYTES } from './blocks/row-blocks.js'
export { type ModelConfig, parseModelConfig } from './config.js'
export { tokenizerModelOfGguf } from './gguf-tokenizer.js'
export { loadSentencePieceModel, loadTokenizer, loadTokenizerOf } from './load-tokenizer.js'
export { allocateWeights, loadWeights } from './load-weights.js'
export { LORA_MODULES, modulePath, peftName } from './lora/lora-names.js'
export { type Factors, isLora, openLora, type StoredFactors, type StoredLora } from './lora/open-lora.js'
export { factorOctets, packFactors } from './lora/pack-factors.js'
export { GGUF_NAMES } from './names/gguf.js'
export { HF_NAMES, matrixLabel, PREFIX_ENCODER } from './names/hf.js'
export { namesIn } from './names/tensor-names.js'
export {
  type Activation,
  ATTENTION_HALF,
  activationWidths,
  byProduct,
  byProductAsync,
  FEED_FORWARD_HALF,
  FINAL_NORM,
  LAYER,
  LAYER_PRODUCTS,
  type LayerActivation,
  type LayerOperation,
  type LinearOperation,
  type NormOperation,
  type NormRole,
  OUTPUT,
  type ProductRole,
  productsOf,
} from './network.js'
export { openModelCheckpoint } from './open-model.js'
export { noteOnChatGlm2 } from './other-models.js'
export { inOrder, unlessAborted } from './parallel.js'
export { type AdapterHandle, hasOwnPrefix, loadPrefix, type Prefix, uploadPrefix } from './prefix.js'
export { prefixWidth, readFloats, readPrefixRows } from './prefix-encoder.js'
export { QUANTIZATION, resolveQuantization } from './resolve-quantization.js'
export { modelTensors, type TensorSpec, tensorList } from './tensors.js'
export { weightSlices } from './weight-slices.js'
export {
  allProducts,
  type LayerWeights,
  type LinearShape,
  type LinearWeight,
  type ModelBase,
  type ModelShape,
  type ModelWeights,
  type TrainingVariants,
  type WeightSlice,
} from './weights.js'
