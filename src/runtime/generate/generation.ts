import { contextOverflow, emptyTokens, InputError, invalidOption, invalidToken } from '../../errors/index.js'
import { MOST_LIKELIEST } from '../../kernels/index.js'
import {
  signal as abortSignal,
  anObject,
  checkOptions,
  listOf,
  number,
  type OptionShape,
  opaque,
  text,
  wholeNumber,
  z,
} from '../../schema/index.js'
import type { Tokenizer } from '../../tokenizer/index.js'
import {
  type Engine,
  type ResolvedSampling,
  resolveSampling,
  SAMPLING_SHAPE,
  type SamplingOptions,
} from '../engine/index.js'
import type { AdapterHandle } from '../model/index.js'
import type { Constraint, ConstraintOption } from './constraint/constraint.js'
import type { Grammars } from './constraint/grammars.js'

/** Which adapter a call uses. */
export interface AdapterOptions {
  /**
   * A P-Tuning v2 prefix, or a LoRA adapter, from `loadAdapter`. Default: the prefix that was saved together with the model,
   * if one was.
   */
  readonly adapter?: AdapterHandle
  /**
   * From 0 (as without it) to 1 (as trained, the default): the weight of a prefix in every softmax; what the terms of LoRA are
   * multiplied by.
   */
  readonly adapterStrength?: number
  /** An older name of `adapter`. */
  readonly prefix?: AdapterHandle
  /** An older name of `adapterStrength`. */
  readonly prefixStrength?: number
}

export interface GenerateOptions extends SamplingOptions, AdapterOptions {
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
  /**
   * How many of the likeliest tokens to tell of each token, from 0 (the default) to 20: those of the model itself, by the
   * log softmax of its logits, before penalties, biases, bans, constraint and temperature. A token's own `logprob` always comes.
   */
  readonly topLogprobs?: number
  /**
   * What the answer must look like: `{ jsonSchema }`, `{ json: true }`, `{ grammar }`, `{ choices }` or `{ toolCall }`. An answer that ends with
   * `stop` keeps to it; one that is cut, with `length` or `context`, is the beginning of such a text. Not together with `stop`.
   */
  readonly constraint?: ConstraintOption
  /** Ends the generation at once; the loop then throws the signal's reason. */
  readonly signal?: AbortSignal
}

const tokenId = wholeNumber(0, 2 ** 31 - 1, 'a token id')
const texts = listOf(text.check(z.minLength(1, { error: 'a text that is not empty' })), 'a list of texts')
export const LIKELIEST = wholeNumber(0, MOST_LIKELIEST)

const anAdapter = opaque(
  (value) => value === null || typeof value === 'object',
  'an adapter from loadAdapter',
)
const aStrength = number(
  (value) => value >= 0 && value <= 1,
  'a number from 0 (as without the adapter) to 1 (as trained)',
)
export const ADAPTER_SHAPE: OptionShape<AdapterOptions> = {
  adapter: anAdapter,
  adapterStrength: aStrength,
  prefix: anAdapter,
  prefixStrength: aStrength,
}

/** What each of them takes: one without a line here is refused by name. */
export const GENERATE_SHAPE: OptionShape<GenerateOptions> = {
  ...SAMPLING_SHAPE,
  ...ADAPTER_SHAPE,
  maxTokens: wholeNumber(1),
  stopIds: listOf(tokenId, 'a list of token ids'),
  stop: texts,
  bannedWords: listOf(text, 'a list of texts'),
  topLogprobs: LIKELIEST,
  constraint: anObject,
  signal: abortSignal,
}

/** What other programs call the options of a generation. */
export const ALIASES: Readonly<Record<string, string>> = {
  max_new_tokens: 'maxTokens',
  max_completion_tokens: 'maxTokens',
  max_length: 'maxTokens',
  stop_token_ids: 'stopIds',
  eos_token_id: 'stopIds',
  stop_sequences: 'stop',
  bad_words: 'bannedWords',
  bad_words_ids: 'bannedIds',
  top_logprobs: 'topLogprobs',
  grammar: 'constraint: { grammar }',
  json_schema: 'constraint: { jsonSchema }',
  response_format: 'constraint: { jsonSchema }',
  repeat_penalty: 'repetitionPenalty',
  functions: 'tools',
  do_sample: 'temperature: 0',
  n_predict: 'maxTokens',
}

/** A token that the model might have said, and how likely it is. */
export interface TokenLogprob {
  readonly id: number
  /** Natural logarithm of the probability the model itself gives the id: before penalties and temperature. */
  readonly logprob: number
}

/** One generated token; the stop id that ends an answer comes too, as the last. */
export interface GeneratedToken extends TokenLogprob {
  /** The text that became certain with it; empty within a character or a possible stop string. */
  readonly text: string
  /** The likeliest tokens at its place, the likeliest first, where `topLogprobs` asked for them. */
  readonly top?: readonly TokenLogprob[]
}

export interface Generation {
  /** Without the stop id. */
  readonly ids: readonly number[]
  readonly text: string
  readonly logprobs: readonly number[]
  /** The likeliest tokens at the place of each id, where `topLogprobs` asked for them. */
  readonly topLogprobs?: readonly (readonly TokenLogprob[])[]
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

/** An adapter that is loaded, and how much it weighs. */
export interface ResolvedAdapter {
  readonly prefix: AdapterHandle | undefined
  /** 0 < strength <= 1 */
  readonly prefixStrength: number
}

/** Options after checks and defaults. */
export interface ResolvedGeneration extends ResolvedAdapter {
  readonly sampling: ResolvedSampling
  readonly maxTokens: number
  readonly stopIds: readonly number[]
  readonly stop: readonly string[]
  readonly topLogprobs: number
  /** Makes what an answer must keep to, for each anew. */
  readonly constraint?: (() => Constraint) | undefined
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
 * The adapter of a call, and its strength.
 * @throws `option.invalid`, `input.prefix-unloaded`
 */
export function resolveAdapter(engine: Engine, options: AdapterOptions): ResolvedAdapter {
  const prefix = options.adapter ?? options.prefix
  const prefixStrength = options.adapterStrength ?? options.prefixStrength ?? 1
  // At strength 0 an adapter weighs nothing, which is exactly what leaving it out computes.
  if (!prefix || prefixStrength === 0) return { prefix: undefined, prefixStrength: 1 }
  if (engine.owns(prefix)) return { prefix, prefixStrength }
  throw new InputError(
    'input.prefix-unloaded',
    'The adapter was unloaded, or loaded into another model. Load it into this one.',
  )
}

/**
 * Checks the options and fills in defaults.
 * @param grammars what constraints are made by
 * @throws `option.invalid`, `input.prefix-unloaded`
 */
export function resolveGeneration(
  engine: Engine,
  tokenizer: Tokenizer,
  options: GenerateOptions,
  grammars: Grammars,
): ResolvedGeneration {
  checkOptions(GENERATE_SHAPE, options, ALIASES)
  const { maxTokens = engine.contextLength } = options
  const adapter = resolveAdapter(engine, options)
  const banned = (options.bannedWords ?? [])
    .filter((word) => word !== '')
    .flatMap((word) => wordIds(tokenizer, word))
  const sampling = resolveSampling(
    { ...options, bannedIds: [...(options.bannedIds ?? []), ...banned] },
    engine.config.vocabulary,
  )
  const stopIds = options.stopIds ?? tokenizer.stopIds
  const unknown = stopIds.findIndex((id) => id >= engine.config.vocabulary)
  if (unknown >= 0) {
    const expected = `token ids from 0 to ${engine.config.vocabulary - 1}`
    throw invalidOption(`stopIds[${unknown}]`, stopIds[unknown], expected)
  }
  const { topLogprobs = 0, stop = [] } = options
  if (options.constraint && stop.length > 0) {
    throw invalidOption('stop', stop[0], 'no texts that would cut an answer which must keep to a constraint')
  }
  // What is banned, or unwanted, may be spelled in other tokens.
  const spells = sampling.bannedIds.length === 0 && Object.keys(sampling.logitBias).length === 0
  const constraint = options.constraint && grammars.resolve(options.constraint, stopIds, spells)
  return { ...adapter, sampling, maxTokens, stopIds, stop, topLogprobs, constraint }
}

/** @throws `input.tokens-empty`, `input.token-invalid`, `input.context-overflow` */
export function checkPrompt(ids: readonly number[], vocabulary: number, available: number): void {
  if (ids.length === 0) throw emptyTokens()
  const wrong = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary)
  if (wrong >= 0) throw invalidToken(ids[wrong], wrong, vocabulary)
  if (ids.length >= available) throw contextOverflow(ids.length, available)
}

/** A token of one of several sequences. */
export interface BatchToken extends GeneratedToken {
  /** Which prompt it answers. */
  readonly index: number
}
