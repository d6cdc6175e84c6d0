export { type ByteSink, type SinkFile, writeFile } from './byte-sink.js'
export { type ByteSource, checkRange, readFile } from './byte-source.js'
export {
  type ChatGLMQuantizedLinear,
  chatGLMQuantizationBits,
  chatGLMQuantizedLinear,
  repackChatGLMScales,
  repackChatGLMWeight,
} from './chatglm-quantization.js'
export {
  Checkpoint,
  type OpenCheckpointOptions,
  openCheckpoint,
  type ReadOptions,
  type TensorInfo,
  type TensorRequirement,
} from './checkpoint.js'
export { CheckpointWriter, type CheckpointWriterOptions, openCheckpointWriter } from './checkpoint-writer.js'
export { DirectoryHandleFiles } from './directory-handle.js'
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
} from './dtype.js'
export {
  CheckpointError,
  CheckpointNotFoundError,
  ConfigError,
  CorruptFileError,
  ManifestMismatchError,
  MissingShardError,
  MissingTensorError,
  QuantizationError,
  ResumeMismatchError,
  SinkError,
  SourceError,
  TensorMismatchError,
  TruncatedFileError,
  UnsafePathError,
  UnsafePickleError,
  UnsupportedFormatError,
  WriteOrderError,
} from './errors.js'
export { readBlob } from './file-list-source.js'
export { type ListedFile, listCheckpoint } from './listing.js'
export {
  type Manifest,
  type ManifestEntry,
  readManifest,
  type VerifyProgress,
  verifyManifest,
  writeManifest,
} from './manifest.js'
export { MemoryFiles } from './memory-files.js'
export {
  openSink,
  openSource,
  type SinkLocation,
  type SourceLocation,
  type SourceOpener,
  type SourceOptions,
} from './open-files.js'
export {
  type AffineQuantization,
  dequantizeRows,
  formatQuantizationConfig,
  parseQuantizationConfig,
  type QuantizationConfig,
  type QuantizedLinear,
  quantizationOf,
  quantizedLinear,
} from './quantized.js'
export { writeSafetensors } from './safetensors.js'
export { createSha256, hashFile, type Sha256 } from './sha256.js'
export type { Shard } from './shards.js'
export type { TensorDeclaration, TensorWithBytes } from './tensor-file.js'
export { writeTorchBin } from './torch-bin-writer.js'
