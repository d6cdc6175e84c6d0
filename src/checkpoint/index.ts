export { Checkpoint, type ReadOptions, type TensorInfo, type TensorRequirement } from './checkpoint.js'
export { CheckpointWriter, type CheckpointWriterOptions, openCheckpointWriter } from './checkpoint-writer.js'
export { type DownloadOptions, type DownloadResult, downloadCheckpoint } from './download.js'
export { isAbort, messageOf } from './errors.js'
export { ADAPTER_CONFIG_FILE } from './formats/checkpoint-files.js'
export {
  asFloat32Array,
  asUint16Array,
  asUint32Array,
  bfloat16ToFloat32,
  type DType,
  dtypeBytes,
  type FloatDType,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  toFloat32,
} from './formats/dtype.js'
export {
  type BlockLayout,
  type BlockType,
  blockLayout,
  isBlockType,
  type StoredType,
} from './formats/ggml-types.js'
export type { GgufMetadata } from './formats/gguf.js'
export type { GgufValue } from './formats/gguf-cursor.js'
export { type GgufPlan, type GgufWritable, ggufLayout, planGguf } from './formats/gguf-writer.js'
export { findJsonExcess, jsonBytes, parseJson } from './formats/json.js'
export {
  type Manifest,
  type ManifestEntry,
  readManifest,
  type VerifyProgress,
  verifyManifest,
  writeManifest,
} from './formats/manifest.js'
export { externalDataLayout, ONNX_FILE } from './formats/onnx/external-data.js'
export { OnnxGraphWriter } from './formats/onnx/graph-writer.js'
export { type OnnxGraph, type OnnxTensor, type OnnxValue, readOnnxGraph } from './formats/onnx/read-graph.js'
export { MICROSOFT } from './formats/onnx/schema.js'
export { writeSafetensors } from './formats/safetensors.js'
export type { Shard } from './formats/shards.js'
export type { StoredDeclaration, TensorDeclaration, TensorWithBytes } from './formats/tensor-file.js'
export { writeTorchBin } from './formats/torch-bin-writer.js'
export { type ListedFile, listCheckpoint } from './listing.js'
export { type OpenCheckpointOptions, openCheckpoint } from './open-checkpoint.js'
export {
  isSourcePlace,
  listFiles,
  openSink,
  openSource,
  SINK_PLACE,
  type SinkLocation,
  SOURCE_PLACE,
  SOURCE_SHAPE,
  type SourceLocation,
  type SourceOpener,
  type SourceOptions,
} from './open-files.js'
export { portableName } from './portable-names.js'
export type { Progress } from './progress.js'
export {
  type ChatGLMQuantizedLinear,
  chatGLMQuantizationBits,
  chatGLMQuantizedLinear,
  repackChatGLMScales,
  repackChatGLMWeight,
} from './quantization/chatglm-quantization.js'
export {
  type AffineQuantization,
  dequantizeRows,
  formatQuantizationConfig,
  matrixBase,
  parseQuantizationConfig,
  type QuantizationConfig,
  type QuantizedLinear,
  quantizationOf,
  quantizedLinear,
  quantizedTensors,
  type StoredQuantization,
} from './quantization/quantized.js'
export { createSha256, hashFile, type Sha256 } from './sha256.js'
export { type ByteSink, type SinkFile, writeFile } from './sinks/byte-sink.js'
export { DirectoryHandleFiles } from './sinks/directory-handle.js'
export { MemoryFiles } from './sinks/memory-files.js'
export { withLock } from './sinks/with-lock.js'
export { type ByteSource, checkRange, readFile, streamRange } from './sources/byte-source.js'
export { readBlob } from './sources/file-list-source.js'
export { keptUrl, showUrl } from './sources/show-url.js'
export { heed } from './sources/waiting.js'
