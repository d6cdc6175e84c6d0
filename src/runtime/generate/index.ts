export { Channel } from './channel.js'
export type { ChatDelta, ChatOptions, ChatReply } from './chat.js'
export type { ConstraintOption, ToolCallConstraint } from './constraint/constraint.js'
export { type EstimateMemoryOptions, estimateMemory, type MemoryEstimate } from './estimate-memory.js'
export type {
  AdapterOptions,
  BatchToken,
  GeneratedToken,
  GenerateOptions,
  Generation,
  GenerationStats,
  TokenLogprob,
} from './generation.js'
export { loadModel } from './load-model.js'
export type { LoadModelOptions } from './load-options.js'
export { LOCAL_MODEL, LocalModel } from './local-model.js'
export type {
  LoadAdapterOptions,
  LogitsOptions,
  MemoryUse,
  Model,
  Prompt,
  ScoredToken,
  ScoresOptions,
  TokenScores,
} from './model-api.js'
export type { ModelLoad } from './scheduler.js'
export { Stream } from './stream.js'
