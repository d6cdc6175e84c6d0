import { invalidOption } from '../../errors/index.js'
import { checkOptions, listOf, number, type OptionShape, wholeNumber, z } from '../../schema/index.js'

/** How the next token is chosen. The defaults are those of the official `chat()`. */
export interface SamplingOptions {
  /** Divides the logits; 0 takes the most likely token always. Default 0.8. */
  readonly temperature?: number
  /** Only the k most likely tokens; 0 for all. Default 50. */
  readonly topK?: number
  /** Only the most likely tokens that together have this probability. Default 0.8. */
  readonly topP?: number
  /** Only tokens at least this likely relative to the most likely one. Default 0: all. */
  readonly minP?: number
  /** Divides positive and multiplies negative logits of ids in prompt or answer. Default 1: off. */
  readonly repetitionPenalty?: number
  /** Subtracted from the logits of ids that the answer contains. Default 0. */
  readonly presencePenalty?: number
  /** Subtracted once for each time an id occurs in the answer. Default 0. */
  readonly frequencyPenalty?: number
  /** Added to the logits of single ids. */
  readonly logitBias?: Readonly<Record<number, number>>
  /** Token sequences that must not appear in the answer; `bannedWords` of the chat API become these. */
  readonly bannedIds?: readonly (readonly number[])[]
  /** The same seed on the same adapter gives the same text. Default: a random one. */
  readonly seed?: number
}

export type ResolvedSampling = Required<SamplingOptions>

/** The sampling settings of the official `chat()` of chatglm3-6b. */
export const OFFICIAL_SAMPLING = {
  temperature: 0.8,
  topK: 50,
  topP: 0.8,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
} as const

const between = (low: number, high: number, expected: string) =>
  number((value) => value >= low && value <= high, expected)
const penalty = between(-1e3, 1e3, 'a number from -1000 to 1000; 0 is no penalty')

/** What each sampling option takes; ids are compared with the vocabulary by `resolveSampling`. */
export const SAMPLING_SHAPE: OptionShape<SamplingOptions> = {
  temperature: between(0, 1e4, 'a number from 0 (always the most likely token) to 10000'),
  topK: wholeNumber(0, 2 ** 31 - 1, 'a whole number from 0 (all tokens) to 2^31 - 1'),
  topP: between(Number.MIN_VALUE, 1, 'a number above 0 and up to 1'),
  minP: between(0, 1, 'a number from 0 to 1'),
  repetitionPenalty: between(1e-3, 1e3, 'a number from 0.001 to 1000; 1 is no penalty'),
  presencePenalty: penalty,
  frequencyPenalty: penalty,
  // More would leave the range in which a softmax has a value.
  logitBias: z.record(z.string(), between(-1e4, 1e4, 'a number from -10000 to 10000; bannedIds bans an id'), {
    error: 'biases by token id',
  }),
  bannedIds: listOf(listOf(z.number({ error: 'a token id' }), 'a list of token ids'), 'lists of token ids'),
  seed: number(Number.isSafeInteger, 'a whole number'),
}

/**
 * Fills in the defaults and checks every value; other options of a call are left alone.
 * @throws `option.invalid` naming the option
 */
export function resolveSampling(options: SamplingOptions, vocabulary: number): ResolvedSampling {
  const given = pick(options)
  checkOptions(SAMPLING_SHAPE, given)
  const resolved: ResolvedSampling = {
    ...OFFICIAL_SAMPLING,
    logitBias: {},
    bannedIds: [],
    seed: Math.floor(Math.random() * 2 ** 32),
    ...given,
  }
  const isToken = (id: number) => Number.isInteger(id) && id >= 0 && id < vocabulary
  for (const id of Object.keys(resolved.logitBias)) {
    // The names of an object are texts, of which Number would take "" and "1e3", too.
    if (String(Number(id)) !== id || !isToken(Number(id)))
      throw invalidOption('logitBias', id, `token ids from 0 to ${vocabulary - 1}`)
  }
  for (const ids of resolved.bannedIds) {
    if (ids.length === 0 || !ids.every(isToken)) {
      throw invalidOption('bannedIds', ids.join(','), 'lists of one or more token ids')
    }
  }
  return resolved
}

/** The sampling options that are given, among all of a call. */
function pick(options: SamplingOptions): SamplingOptions {
  const isGiven = ([name, value]: [string, unknown]) =>
    value !== undefined && Object.hasOwn(SAMPLING_SHAPE, name)
  return Object.fromEntries(Object.entries(options).filter(isGiven))
}
