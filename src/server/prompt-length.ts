import type { Tokenizer } from '../tokenizer/index.js'
import { badRequest } from './api-error.js'
import type { ServedModel } from './served-model.js'

const longest = new WeakMap<Tokenizer, number>()

/** Characters of the longest piece: no token stands for more. */
function longestPiece(tokenizer: Tokenizer): number {
  let length = longest.get(tokenizer)
  if (length === undefined) {
    length = 1
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      length = Math.max(length, tokenizer.vocabulary.piece(id)?.length ?? 0)
    }
    longest.set(tokenizer, length)
  }
  return length
}

/**
 * Refuses a text that cannot fit before it is cut into tokens, which would stop everybody else for as long as it takes.
 * @param texts the parts of one prompt
 * @throws ApiError 400 `context_length_exceeded`
 */
export function checkTextLength(texts: readonly string[], { tokenizer, contextLength }: ServedModel): void {
  const characters = texts.reduce((sum, text) => sum + text.length, 0)
  const tokens = Math.floor(characters / longestPiece(tokenizer))
  if (tokens < contextLength) return
  throw badRequest(
    'context_length_exceeded',
    `The prompt has more than ${tokens} tokens, but this model was loaded with room for ${contextLength} tokens of ` +
      'prompt and answer together.',
  )
}
