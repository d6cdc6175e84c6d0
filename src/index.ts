/**
 * ChatGLM3-6B with P-Tuning v2 prefixes on WebGPU.
 *
 * ```ts
 * const model = await loadModel('models/tiny')
 * for await (const { text } of model.chat([{ role: 'user', content: '你好' }])) process.stdout.write(text)
 * model.dispose()
 * ```
 *
 * @packageDocumentation
 */
export { loadModel } from './cards/index.js'
export {
  type ByteSink,
  type ByteSource,
  downloadCheckpoint,
  MemoryFiles,
  type Progress,
  type SinkLocation,
  type SourceLocation,
  type SourceOpener,
  type SourceOptions,
  showUrl,
} from './checkpoint/index.js'
export {
  AdapterError,
  BusyError,
  ChatGLMError,
  CheckpointError,
  DeviceError,
  ERROR_CODES,
  type ErrorCode,
  type ErrorKind,
  hasCode,
  InputError,
  OptionError,
  SinkError,
  SourceError,
} from './errors/index.js'
export {
  type AdapterInfo,
  adapterName,
  type DeviceChoice,
  isSoftwareAdapter,
  requestAdapter,
} from './gpu/index.js'
export {
  type ConvertOptions,
  type ConvertResult,
  convertCheckpoint,
  exportGguf,
  exportOnnx,
} from './runtime/convert/index.js'
export {
  OFFICIAL_SAMPLING,
  previewVariants,
  type SamplingOptions,
  VARIANTS,
  type VariantChoices,
  type VariantPreview,
  type Variants,
} from './runtime/engine/index.js'
export {
  type BatchToken,
  type ChatDelta,
  type ChatOptions,
  type ChatReply,
  type ConstraintOption,
  type EstimateMemoryOptions,
  estimateMemory,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
  type GenerationStats,
  type LoadModelOptions,
  type LocalModel,
  type LogitsOptions,
  type MemoryEstimate,
  type MemoryUse,
  type Model,
  type Prompt,
  type ScoresOptions,
  type Stream,
  type TokenLogprob,
  type TokenScores,
  type ToolCallConstraint,
} from './runtime/generate/index.js'
/** An older name of `AdapterHandle`. */
export type { AdapterHandle, AdapterHandle as PrefixHandle, ModelConfig } from './runtime/model/index.js'
export {
  type AssistantMessage,
  type Message,
  type PythonValue,
  parseJson,
  pythonJson,
  type ReplySegment,
  stringifyJson,
  Tokenizer,
} from './tokenizer/index.js'
