import type { LocalModel, Model } from '../runtime/generate/index.js'

/** The part of a model that the server uses. */
export type ServedModel = Pick<
  Model & LocalModel,
  | 'chat'
  | 'contextLength'
  | 'generate'
  | 'load'
  | 'loadAdapter'
  | 'lost'
  | 'scores'
  | 'tokenizer'
  | 'unloadAdapter'
>
