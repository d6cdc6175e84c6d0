import type {
  ChatDelta,
  ChatOptions,
  ChatReply,
  GeneratedToken,
  GenerateOptions,
  Generation,
  Model,
  Prompt,
  Stream,
} from '../runtime/generate/index.js'
import type { Message } from '../tokenizer/index.js'

/** What comes in pieces, and the whole of it. */
export type ServedStream<Piece, Result> = AsyncIterable<Piece> & Pick<Stream<Piece, Result>, 'result'>

/** The part of a model that the server uses. */
export interface ServedModel
  extends Pick<Model, 'contextLength' | 'load' | 'loadPrefix' | 'lost' | 'tokenizer' | 'unloadPrefix'> {
  chat(messages: readonly Message[], options: ChatOptions): ServedStream<ChatDelta, ChatReply>
  generate(prompt: Prompt, options: GenerateOptions): ServedStream<GeneratedToken, Generation>
}
