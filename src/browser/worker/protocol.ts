/** What page and worker say to each other. Everything here is plain data that `postMessage` carries. */
import type { SinkLocation, SourceOptions } from '../../checkpoint/index.js'
import type { DatasetHandle, ReadDatasetOptions } from '../../data/index.js'
import type { FinetuneOptions, FinetuneResult } from '../../finetune/index.js'
import type { AdapterInfo } from '../../gpu/index.js'
import type { VariantChoices } from '../../runtime/engine/index.js'
import type {
  AdapterOptions,
  ChatOptions,
  GenerateOptions,
  GenerationStats,
  LoadModelOptions,
  LogitsOptions,
  MemoryUse,
  ModelLoad,
  Prompt,
  ScoresOptions,
} from '../../runtime/generate/index.js'
import type { AdapterHandle, ModelConfig } from '../../runtime/model/index.js'
import type { Message } from '../../tokenizer/index.js'
import type { StoredOutput } from '../store/stored-output.js'
import type { Outcome } from './outcome.js'

/** What does not change while a model is loaded. */
export interface ModelFacts {
  readonly config: ModelConfig
  readonly contextLength: number
  readonly adapter: AdapterInfo
  readonly variants: Partial<VariantChoices>
}

/** What a model tells of itself after every call. */
export interface ModelState {
  readonly memory: MemoryUse
  readonly load: ModelLoad
  readonly stats: GenerationStats
}

/** How a call to the model ended. */
export type Answer<T> = Outcome<T> & { readonly state: ModelState | undefined }

/** Options whose adapter is named by its number in the worker, and which are aborted by the number of the call. */
export type Portable<Options extends AdapterOptions & { signal?: AbortSignal }> = Omit<
  Options,
  'adapter' | 'prefix' | 'signal'
> & { readonly adapterId?: number }

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
export type PortableScoresOptions = Portable<ScoresOptions>
export type PortableAdapterOptions = SourceOptions

/** An adapter in the worker. */
export interface RemoteAdapter extends AdapterHandle {
  readonly id: number
}

/** A dataset in the worker. */
export interface RemoteDataset extends DatasetHandle {
  readonly id: number
}

export type PortableDatasetOptions = Omit<ReadDatasetOptions, 'signal' | 'onProgress'>

/** Options of a training in the worker: as for `finetunePrefix`, with datasets that are there. */
export interface WorkerFinetuneOptions extends Omit<FinetuneOptions, 'output' | 'evaluation'> {
  /**
   * Where checkpoints go: a directory handle, a prefix of the store by `ModelStore.output`, or a sink of one's own, such
   * as `MemoryFiles`, which stays in the page. Without it they stay in the worker's memory and go with the training.
   */
  readonly output?: SinkLocation | StoredOutput
  /** Held-out data, for the loss on them. */
  readonly evaluation?: DatasetHandle
}

export type PortableFinetuneOptions = Omit<
  WorkerFinetuneOptions,
  'output' | 'evaluation' | 'signal' | 'onProgress'
> & { readonly evaluationId?: number }

/** A trained prefix in the worker, and how the training went. */
export type RemoteFinetuneResult = Omit<FinetuneResult, 'prefix'> & { readonly prefix: RemoteAdapter }
