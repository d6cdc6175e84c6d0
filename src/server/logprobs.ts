import type { TokenLogprob } from '../runtime/generate/index.js'
import { StreamDecoder, type Tokenizer } from '../tokenizer/index.js'

/** A token that somebody said, and how likely it was: the first of a text has no probability. */
export interface ToldToken {
  readonly id: number
  readonly logprob: number | undefined
  /** The likeliest tokens at its place. */
  readonly top?: readonly TokenLogprob[]
}

/** How a chat completion tells of a token. */
export interface ChatLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[]
}

/** How a completion tells of its tokens: an entry in each list for each. */
export interface CompletionLogprobs {
  readonly tokens: string[]
  readonly token_logprobs: (number | null)[]
  readonly top_logprobs: (Record<string, number> | null)[]
  readonly text_offset: number[]
}

/** The text of a token by itself: special ones by their name, a byte as OpenAI writes it. */
export function tokenText({ vocabulary }: Tokenizer, id: number): string {
  const byte = vocabulary.byte(id)
  if (byte !== undefined) return `bytes:\\x${byte.toString(16).padStart(2, '0')}`
  return vocabulary.text(id) || (vocabulary.piece(id) ?? '')
}

function tokenBytes({ vocabulary }: Tokenizer, id: number): readonly number[] {
  const byte = vocabulary.byte(id)
  return byte === undefined ? [...new TextEncoder().encode(vocabulary.text(id))] : [byte]
}

/**
 * The probability of a token. The likeliest list may have it, too, summed in another order: both are to be equal, as clients
 * compare them.
 */
const logprobOf = ({ id, logprob, top }: ToldToken) => top?.find((one) => one.id === id)?.logprob ?? logprob

/** The tokens of a piece of a chat, in OpenAI's form. @param count how many of the likeliest tokens to tell */
export function chatLogprobs(tokenizer: Tokenizer, tokens: readonly ToldToken[], count: number) {
  const tell = (id: number, logprob: number): ChatLogprob => ({
    token: tokenText(tokenizer, id),
    logprob,
    bytes: tokenBytes(tokenizer, id),
  })
  return tokens
    .filter(({ id }) => !tokenizer.stopIds.includes(id))
    .map((token) => ({
      ...tell(token.id, logprobOf(token) ?? 0),
      top_logprobs: (token.top ?? []).slice(0, count).map(({ id, logprob }) => tell(id, logprob)),
    }))
}

/** Collects what a completion tells of its tokens. */
export class CompletionTokens {
  readonly #tokenizer: Tokenizer
  readonly #count: number
  readonly #decoder: StreamDecoder
  #offset = 0

  /** @param count how many of the likeliest tokens to tell */
  constructor(tokenizer: Tokenizer, count: number) {
    this.#tokenizer = tokenizer
    this.#count = count
    this.#decoder = new StreamDecoder(tokenizer)
  }

  /**
   * Takes tokens that follow those before.
   * @param hidden how many of the first are not in the text, as `[gMASK] sop` before a prompt
   */
  tell(tokens: readonly ToldToken[], hidden = 0): CompletionLogprobs {
    const offsets = tokens.map(({ id }, i) => {
      const offset = this.#offset
      if (i >= hidden) this.#offset += this.#decoder.push(id).length
      return offset
    })
    return {
      tokens: tokens.map(({ id }) => tokenText(this.#tokenizer, id)),
      token_logprobs: tokens.map((token) => logprobOf(token) ?? null),
      top_logprobs: tokens.map((token) => (token.logprob === undefined ? null : this.#topOf(token))),
      text_offset: offsets,
    }
  }

  /** The likeliest tokens by their texts, and the one that was said. */
  #topOf(token: ToldToken): Record<string, number> {
    const told = (token.top ?? []).slice(0, this.#count)
    const isTold = told.some(({ id }) => id === token.id)
    const all = isTold ? told : [...told, { id: token.id, logprob: logprobOf(token) ?? 0 }]
    const top: Record<string, number> = {}
    for (const { id, logprob } of all) {
      const text = tokenText(this.#tokenizer, id)
      top[Object.hasOwn(top, text) ? `token_id:${id}` : text] = logprob
    }
    return top
  }
}

/** Puts what several pieces tell together. */
export function joinLogprobs(pieces: readonly CompletionLogprobs[]): CompletionLogprobs {
  return {
    tokens: pieces.flatMap(({ tokens }) => tokens),
    token_logprobs: pieces.flatMap(({ token_logprobs }) => token_logprobs),
    top_logprobs: pieces.flatMap(({ top_logprobs }) => top_logprobs),
    text_offset: pieces.flatMap(({ text_offset }) => text_offset),
  }
}
