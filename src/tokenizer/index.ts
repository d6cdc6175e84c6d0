export {
  type AssistantMessage,
  buildPrompt,
  checkMessages,
  encodeMessage,
  hasTools,
  type Message,
  type ObservationMessage,
  type PromptOptions,
  ROLES,
  type Role,
  type SystemMessage,
  TOOLS_SYSTEM_PROMPT,
  toolNames,
  type UserMessage,
} from './chat-format.js'
export { type JsonValue, parseJson, type WholeFloat } from './json-reader.js'
export { entriesOf, pythonJson, stringifyJson } from './python-json.js'
export { type PythonValue, parseToolCall } from './python-literal.js'
export { formatToolCall, type ToolParameters, toPythonLiteral } from './python-repr.js'
export {
  type CodeSegment,
  type InvalidToolCallSegment,
  isMetadata,
  mayBecomeMetadata,
  parseReply,
  parseReplyIds,
  type Reply,
  type ReplyOptions,
  type ReplySegment,
  type TextSegment,
  type ToolCallSegment,
} from './reply-parser.js'
export {
  PieceType,
  readSentencePieceModel,
  type SentencePiece,
  type SentencePieceModel,
} from './sentencepiece.js'
export { chatglmSentencePieceModel, chatglmSpecs, writeSentencePieceModel } from './sentencepiece-writer.js'
export { SPECIAL_TOKENS, type SpecialIds, type SpecialToken } from './special-tokens.js'
export { StreamDecoder } from './stream-decoder.js'
export { type EncodeOptions, TOKENIZER, Tokenizer } from './tokenizer.js'
export { type TokenizerJson, tokenizerJsonFromSentencePiece } from './tokenizer-json.js'
export { Vocabulary } from './vocabulary.js'
