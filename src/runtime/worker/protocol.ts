/** What page and worker say to each other. Everything here is plain data that `postMessage` carries. */
import type { SourceOptions } from '../../checkpoint/index.js'
import type { Message } from '../../tokenizer/index.js'
import type { ChatOptions } from '../chat.js'
import type { AdapterInfo, MemoryUse, Prompt } from '../chat-model.js'
import type { ModelConfig } from '../config.js'
import type { GenerateOptions, GenerationStats } from '../generation.js'
import type { LoadModelOptions } from '../load-model.js'
import type { LogitsOptions } from '../model.js'
import type { PrefixHandle } from '../prefix.js'
import type { Outcome } from './outcome.js'

/** What does not change while a model is loaded. */
export interface ModelFacts {
  readonly config: ModelConfig
  readonly contextLength: number
  readonly adapter: AdapterInfo
}

/** What a model tells of itself after every call. */
export interface ModelState {
  readonly memory: MemoryUse
  readonly stats: GenerationStats
}

/** How a call to the model ended. */
export type Answer<T> = Outcome<T> & { readonly state: ModelState | undefined }

/** Options whose prefix is named by its number in the worker, and which are aborted by the number of the call. */
export type Portable<Options extends { prefix?: PrefixHandle; signal?: AbortSignal }> = Omit<
  Options,
  'prefix' | 'signal'
> & { readonly prefixId?: number }

export type PortableLoadOptions = Omit<LoadModelOptions, 'onProgress' | 'signal' | 'device'> & {
  readonly device?: 'auto' | 'low-power' | 'software'
}

export type StreamRequest =
  | { readonly kind: 'chat'; readonly messages: readonly Message[]; readonly options: Portable<ChatOptions> }
  | { readonly kind: 'generate'; readonly prompt: Prompt; readonly options: Portable<GenerateOptions> }
  | {
      readonly kind: 'batch'
      readonly prompts: readonly Prompt[]
      readonly options: Portable<GenerateOptions>
    }

/** Pieces of a stream that were ready, and its result once it is over. */
export interface StreamPart {
  readonly pieces: readonly unknown[]
  readonly result?: { readonly value: unknown }
}

export type PortableLogitsOptions = Portable<LogitsOptions>
export type PortablePrefixOptions = SourceOptions

/** A prefix in the worker. */
export interface RemotePrefix extends PrefixHandle {
  readonly id: number
}
