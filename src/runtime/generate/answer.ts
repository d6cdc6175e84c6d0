import { StreamDecoder, type Tokenizer } from '../../tokenizer/index.js'
import type { GeneratedToken, Generation } from './generation.js'
import { TextStops } from './text-stops.js'

/** An answer while it is generated: its ids, and the text that is certain. */
export class Answer {
  readonly ids: number[] = []
  readonly logprobs: number[] = []
  finishReason: Generation['finishReason'] | undefined
  stopId: number | undefined
  #text = ''
  readonly #decoder: StreamDecoder
  readonly #stops: TextStops

  constructor(tokenizer: Tokenizer, stop: readonly string[]) {
    this.#decoder = new StreamDecoder(tokenizer)
    this.#stops = new TextStops(stop)
  }

  /** Takes a token and gives out its text. */
  push(id: number, logprob: number): GeneratedToken {
    this.ids.push(id)
    this.logprobs.push(logprob)
    const text = this.#stops.push(this.#decoder.push(id))
    if (this.#stops.stopped) this.finishReason = 'stop'
    this.#text += text
    return { id, text, logprob }
  }

  /** Takes the stop id that ends the answer. */
  stop(id: number, logprob: number): GeneratedToken {
    this.finishReason = 'stop'
    this.stopId = id
    return { id, text: '', logprob }
  }

  /** Gives out the text that was held back. */
  flush(): string {
    const text = this.#stops.push(this.#decoder.flush()) + this.#stops.flush()
    this.#text += text
    return text
  }

  summary(promptTokens: number, cachedTokens: number): Generation {
    const { ids, logprobs, stopId } = this
    const finishReason = this.finishReason ?? 'length'
    return { ids, text: this.#text, logprobs, finishReason, stopId, promptTokens, cachedTokens }
  }
}
