import { StreamDecoder, type Tokenizer } from '../../tokenizer/index.js'
import type { GeneratedToken, Generation, TokenLogprob } from './generation.js'
import { TextStops } from './text-stops.js'

/** An answer while it is generated: its ids, and the text that is certain. */
export class Answer {
  readonly ids: number[] = []
  readonly logprobs: number[] = []
  readonly topLogprobs: (readonly TokenLogprob[])[] = []
  finishReason: Generation['finishReason'] | undefined
  stopId: number | undefined
  #text = ''
  readonly #decoder: StreamDecoder
  readonly #stops: TextStops
  readonly #withTop: boolean

  /** @param withTop whether the likeliest tokens come with each */
  constructor(tokenizer: Tokenizer, stop: readonly string[], withTop = false) {
    this.#withTop = withTop
    this.#decoder = new StreamDecoder(tokenizer)
    this.#stops = new TextStops(stop)
  }

  /** Takes a token and gives out its text. @param top the likeliest at its place, where they were wanted */
  push(id: number, logprob: number, top?: readonly TokenLogprob[]): GeneratedToken {
    this.ids.push(id)
    this.logprobs.push(logprob)
    if (top) this.topLogprobs.push(top)
    const text = this.#stops.push(this.#decoder.push(id))
    if (this.#stops.stopped) this.finishReason = 'stop'
    this.#text += text
    return { id, text, logprob, ...(top && { top }) }
  }

  /** Takes the stop id that ends the answer. */
  stop(id: number, logprob: number, top?: readonly TokenLogprob[]): GeneratedToken {
    this.finishReason = 'stop'
    this.stopId = id
    return { id, text: '', logprob, ...(top && { top }) }
  }

  /** Gives out the text that was held back. */
  flush(): string {
    const text = this.#stops.push(this.#decoder.flush()) + this.#stops.flush()
    this.#text += text
    return text
  }

  summary(promptTokens: number, cachedTokens: number): Generation {
    const { ids, logprobs, topLogprobs, stopId } = this
    const finishReason = this.finishReason ?? 'length'
    const generation = { ids, text: this.#text, logprobs, finishReason, stopId, promptTokens, cachedTokens }
    return this.#withTop ? { ...generation, topLogprobs } : generation
  }
}
