import {
  ContextOverflowError,
  EmptyTokensError,
  InvalidOptionError,
  InvalidTokenError,
  NumericalError,
  PrefixError,
} from '../../errors/index.js'
import { StreamDecoder, type Tokenizer } from '../../tokenizer/index.js'
import {
  type Engine,
  type EnginePrompt,
  type PrefillOptions,
  type ResolvedSampling,
  resolveSampling,
  type SamplingOptions,
} from '../engine/index.js'
import type { Prefix, PrefixHandle } from '../model/index.js'
import { TextStops } from './text-stops.js'

export interface GenerateOptions extends SamplingOptions {
  /** The most tokens to generate. Default: what the context has room for. */
  readonly maxTokens?: number
  /** Ids that end the answer. Default: end of text, `<|user|>`, `<|observation|>`. */
  readonly stopIds?: readonly number[]
  /** Texts that end the answer; neither they nor what follows is given out. */
  readonly stop?: readonly string[]
  /**
   * Words that must not appear: every piece that contains one is banned, and the sequence of pieces that spells it. A
   * model may still spell it in other pieces; `stop` ends an answer for certain.
   */
  readonly bannedWords?: readonly string[]
  /** A P-Tuning v2 prefix from `loadPrefix`. Default: none. */
  readonly prefix?: PrefixHandle
  /** From 0 (as without the prefix) to 1 (as trained, the default): its weight in every softmax. */
  readonly prefixStrength?: number
  /** Ends the generation at once; the loop then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** One generated token; the stop id that ends an answer comes too, as the last. */
export interface GeneratedToken {
  readonly id: number
  /** The text that became certain with it; empty within a character or a possible stop string. */
  readonly text: string
  /** Natural logarithm of the probability the model itself gives the id: before penalties and temperature. */
  readonly logprob: number
}

export interface Generation {
  /** Without the stop id. */
  readonly ids: readonly number[]
  readonly text: string
  readonly logprobs: readonly number[]
  /** A stop id or text, `maxTokens`, or the end of the context. */
  readonly finishReason: 'stop' | 'length' | 'context'
  /** The stop id that ended it, if one did. */
  readonly stopId: number | undefined
  readonly promptTokens: number
  /** Leading tokens of the prompt that the cache held already. */
  readonly cachedTokens: number
}

/** How long the last call took. */
export interface GenerationStats {
  /** Prompt tokens that were computed; those found in the cache are not counted. */
  readonly prefillTokens: number
  /** From the call to the first token. */
  readonly prefillSeconds: number
  /** Tokens after the first, all sequences together. */
  readonly decodeTokens: number
  /** From the first token to the last. */
  readonly decodeSeconds: number
}

/** Options after checks and defaults. */
export interface ResolvedGeneration {
  readonly sampling: ResolvedSampling
  readonly maxTokens: number
  readonly stopIds: readonly number[]
  readonly stop: readonly string[]
  readonly prefill: PrefillOptions
}

/** What to ban for a word: pieces that contain it, and its pieces where it begins the text or follows other text. */
function wordIds(tokenizer: Tokenizer, word: string): number[][] {
  const containing: number[][] = []
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (!tokenizer.isSpecial(id) && tokenizer.vocabulary.text(id).includes(word)) containing.push([id])
  }
  const newline = tokenizer.encode('\n')
  const behindNewline = tokenizer.encode(`\n${word}`).slice(newline.length)
  return [...containing, ...[tokenizer.encode(word), behindNewline].filter((ids) => ids.length > 0)]
}

/**
 * Checks the options and fills in defaults.
 * @throws InvalidOptionError
 */
export function resolveGeneration(
  engine: Engine,
  tokenizer: Tokenizer,
  options: GenerateOptions,
): ResolvedGeneration {
  const { maxTokens = engine.contextLength, prefixStrength = 1, signal } = options
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) {
    throw new InvalidOptionError('maxTokens', maxTokens, 'a whole number from 1 up')
  }
  if (!(prefixStrength >= 0 && prefixStrength <= 1)) {
    throw new InvalidOptionError(
      'prefixStrength',
      prefixStrength,
      'a number from 0 (no prefix) to 1 (as trained)',
    )
  }
  const banned = (options.bannedWords ?? [])
    .filter((word) => word !== '')
    .flatMap((word) => wordIds(tokenizer, word))
  const sampling = resolveSampling(
    { ...options, bannedIds: [...(options.bannedIds ?? []), ...banned] },
    engine.config.vocabulary,
  )
  // At strength 0 the prefix weighs nothing, which is exactly what leaving it out computes.
  const prefix = prefixStrength > 0 && options.prefix ? loadedPrefix(engine, options.prefix) : undefined
  return {
    sampling,
    maxTokens,
    stopIds: options.stopIds ?? tokenizer.stopIds,
    stop: options.stop ?? [],
    prefill: { prefix, prefixStrength: prefix ? prefixStrength : 1, ...(signal && { signal }) },
  }
}

/**
 * The rows of a prefix that was loaded into this model and is still there.
 * @throws PrefixError
 */
export function loadedPrefix({ gpu }: Engine, prefix: PrefixHandle): Prefix {
  if ('rows' in prefix && gpu.owns((prefix as Prefix).rows)) return prefix as Prefix
  throw new PrefixError('The prefix was unloaded, or loaded into another model. Load it into this one.')
}

/** @throws EmptyTokensError, InvalidTokenError, ContextOverflowError */
export function checkPrompt(ids: readonly number[], vocabulary: number, available: number): void {
  if (ids.length === 0) throw new EmptyTokensError()
  const wrong = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary)
  if (wrong >= 0) throw new InvalidTokenError(ids[wrong], wrong, vocabulary)
  if (ids.length >= available) throw new ContextOverflowError(ids.length, available)
}

/** One sequence while it is generated. */
class Answer {
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

/** A token of one of several sequences. */
export interface BatchToken extends GeneratedToken {
  /** Which prompt it answers. */
  readonly index: number
}

/**
 * Generates side by side for as many prompts as the engine has slots for.
 * @returns the generations, and calls `onStats` at the end
 * @throws NumericalError, DeviceLostError, and the signal's reason
 */
export async function* generateSideBySide(
  engine: Engine,
  tokenizer: Tokenizer,
  prompts: readonly (readonly number[])[],
  options: ResolvedGeneration,
  batched: boolean,
  onStats: (stats: GenerationStats) => void,
): AsyncGenerator<BatchToken, Generation[]> {
  const { sampling, prefill, stopIds, maxTokens } = options
  const { prefix, signal } = prefill
  const available = engine.available(prefix)
  const started = performance.now()
  let firstToken = started
  let lastToken = started
  // Seeds of a batch differ, or equal prompts would get equal answers.
  const rows: EnginePrompt[] = prompts.map((ids, index) => ({
    ids,
    seed: (sampling.seed + index) >>> 0,
    positionLimit: Math.min(available, ids.length + maxTokens),
  }))
  const answers = prompts.map(() => new Answer(tokenizer, options.stop))
  const cached = await engine.prefill(rows, prefill)
  const longest = Math.max(...rows.map((row) => row.positionLimit - row.ids.length))
  let tokens = 0
  try {
    for await (const step of engine.decode(rows, prefix, sampling, stopIds, longest, batched)) {
      lastToken = performance.now()
      if (tokens === 0) firstToken = lastToken
      for (const [index, { id, logProbability, notFinite, allBanned }] of step.entries()) {
        const answer = answers[index]
        if (answer.finishReason) continue
        const position = rows[index].ids.length + answer.ids.length
        if (notFinite) throw new NumericalError(position)
        if (allBanned)
          throw new InvalidOptionError('bannedIds', 'every token', 'bans that leave a token to choose')
        if (id === undefined) continue
        tokens++
        const token = stopIds.includes(id) ? answer.stop(id, logProbability) : answer.push(id, logProbability)
        if (!answer.finishReason && answer.ids.length >= maxTokens) answer.finishReason = 'length'
        if (!answer.finishReason && position + 1 >= available) answer.finishReason = 'context'
        yield { index, ...token, text: answer.finishReason ? token.text + answer.flush() : token.text }
      }
      signal?.throwIfAborted()
      if (answers.every(({ finishReason }) => finishReason)) break
    }
  } catch (error) {
    if (error instanceof NumericalError) engine.cache.forget()
    throw error
  } finally {
    // The last id of an answer was sampled but maybe never fed, so its keys and values may be missing.
    for (const [slot, answer] of answers.entries()) engine.cache.append(slot, answer.ids.slice(0, -1))
    onStats({
      prefillTokens: prompts.reduce((sum, ids, index) => sum + ids.length - cached[index], 0),
      prefillSeconds: (firstToken - started) / 1000,
      decodeTokens: Math.max(0, tokens - prompts.length),
      decodeSeconds: (lastToken - firstToken) / 1000,
    })
  }
  return answers.map((answer, index) => answer.summary(prompts[index].length, cached[index]))
}
