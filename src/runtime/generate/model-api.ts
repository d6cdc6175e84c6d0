import { SOURCE_SHAPE, type SourceLocation, type SourceOptions } from '../../checkpoint/index.js'
import type { DeviceError } from '../../errors/index.js'
import type { AdapterInfo, MemoryKind } from '../../gpu/index.js'
import { type OptionShape, signal } from '../../schema/index.js'
import type { Message } from '../../tokenizer/index.js'
import type { VariantChoices } from '../engine/index.js'
import type { AdapterHandle, ModelConfig } from '../model/index.js'
import type { ChatDelta, ChatOptions, ChatReply } from './chat.js'
import {
  ADAPTER_SHAPE,
  type AdapterOptions,
  type BatchToken,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
  type GenerationStats,
  LIKELIEST,
  type TokenLogprob,
} from './generation.js'
import type { ModelLoad } from './scheduler.js'
import type { Stream } from './stream.js'

/** Bytes of GPU memory, by purpose. */
export interface MemoryUse extends Readonly<Record<MemoryKind, number>> {
  readonly total: number
  /** How much of `cache` holds something: what sequences that run, or have ended, left in their pages. */
  readonly cacheUsed: number
}

/** What a model continues: a raw text, token ids, or a conversation that is to be answered. */
export type Prompt = string | readonly number[] | readonly Message[]

export interface LoadAdapterOptions extends SourceOptions {
  readonly signal?: AbortSignal
}

export interface LogitsOptions extends AdapterOptions {
  readonly signal?: AbortSignal
}

export interface ScoresOptions extends LogitsOptions {
  /** How many of the likeliest tokens to give at each place, from 0 (the default) to 20. */
  readonly top?: number
}

/** What the options of `logits`, `scores` and `loadAdapter` take. */
export const LOGITS_SHAPE: OptionShape<LogitsOptions> = { ...ADAPTER_SHAPE, signal }
export const SCORES_SHAPE: OptionShape<ScoresOptions> = { ...LOGITS_SHAPE, top: LIKELIEST }
export const LOAD_ADAPTER_SHAPE: OptionShape<LoadAdapterOptions> = { ...SOURCE_SHAPE, signal }

/** A token of a text that was scored. */
export interface ScoredToken {
  readonly id: number
  /** Natural logarithm of the probability that the model gives it behind those before; the first has none. */
  readonly logprob: number | undefined
  /** The likeliest tokens at its place, the likeliest first. */
  readonly top: readonly TokenLogprob[]
}

/** How likely the tokens of a text are. */
export interface TokenScores {
  /** One for each id. */
  readonly tokens: readonly ScoredToken[]
  /** The likeliest tokens behind the last. */
  readonly next: readonly TokenLogprob[]
}

/**
 * A loaded model, wherever it runs: `LocalModel` (from `loadModel`) in this thread, `WorkerModel` (from
 * `loadModelInWorker`) in a worker. Both take the same calls and give the same answers. Calls made at the same time run
 * side by side.
 */
export interface Model {
  readonly config: ModelConfig
  /** Positions that prompt and answer together may take. */
  readonly contextLength: number
  /** The adapter that the model is on. */
  readonly adapter: AdapterInfo
  /** Which kernels are used where there are several, and why; empty where ONNX Runtime computes. */
  readonly variants: Partial<VariantChoices>
  /** GPU memory that the model takes now. */
  readonly memory: MemoryUse
  /** How many sequences run and wait now. */
  readonly load: ModelLoad
  /** How long the last generation took. */
  readonly stats: GenerationStats
  /** Fulfilled when the GPU is taken away: the model cannot be used any more. Not after `dispose()`. */
  readonly lost: Promise<DeviceError>

  chat(messages: readonly Message[], options?: ChatOptions): Stream<ChatDelta, ChatReply>
  generate(prompt: Prompt, options?: GenerateOptions): Stream<GeneratedToken, Generation>
  generateBatch(prompts: readonly Prompt[], options?: GenerateOptions): Stream<BatchToken, Generation[]>
  logits(ids: readonly number[], options?: LogitsOptions): Promise<Float32Array>
  scores(prompt: Prompt, options?: ScoresOptions): Promise<TokenScores>
  loadAdapter(source: SourceLocation, options?: LoadAdapterOptions): Promise<AdapterHandle>
  unloadAdapter(adapter: AdapterHandle): Promise<void>
  /** An older name of `loadAdapter`. */
  loadPrefix(source: SourceLocation, options?: LoadAdapterOptions): Promise<AdapterHandle>
  /** An older name of `unloadAdapter`. */
  unloadPrefix(prefix: AdapterHandle): Promise<void>
  dispose(): void
}
