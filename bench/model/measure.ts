import type { AdapterHandle } from '../common/internals.js'
import { type Summary, summarize } from '../common/statistics.js'
import type { Conversation } from './conversation.js'

export interface MeasureOptions {
  readonly repetitions: number
  /** Ids of a timed run of decoding. */
  readonly tokens: number
  /** Work before the first timing of each figure. */
  readonly warmUpSeconds: number
  /** After this long a figure gets no more repetitions than it has. */
  readonly budgetSeconds: number
}

export interface PrefillResult {
  readonly tokens: number
  readonly seconds: Summary
}

export interface DecodeResult {
  /** Tokens asked for in the cache, the prefix not counted. */
  readonly context: number
  /** Tokens in the cache when the timed run began: fewer where the model has no room behind `context`. */
  readonly start: number
  readonly prefix: number
  /** The LoRA adapter, where there was one. */
  readonly lora?: string
  /** Ids timed in each repetition. */
  readonly tokens: number
  /** Seconds for one token. */
  readonly seconds: Summary
}

export interface FirstTokenResult {
  readonly tokens: number
  readonly seconds: Summary
}

/** Repeats a measurement as often as the options say. */
export async function repeat(options: MeasureOptions, once: () => Promise<number>): Promise<Summary> {
  const values: number[] = []
  const started = performance.now()
  while (values.length < options.repetitions) {
    values.push(await once())
    if (performance.now() - started > options.budgetSeconds * 1000) break
  }
  return summarize(values)
}

/** Work that brings the clocks of the card up. */
export async function warmUp(options: MeasureOptions, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now()
  do await work()
  while (performance.now() - started < options.warmUpSeconds * 1000)
}

/** Prompts of some lengths, nothing of them in the cache. */
export async function measurePrefill(
  conversation: Conversation,
  tokens: number,
  options: MeasureOptions,
): Promise<PrefillResult> {
  await warmUp(options, () => conversation.prefill(Math.min(tokens, 512)))
  const seconds = await repeat(options, () => conversation.prefill(tokens))
  await conversation.decode(tokens < conversation.engine.contextLength ? tokens : tokens - 1, 1)
  await conversation.checkLogits()
  return { tokens, seconds }
}

/** Time from the call to the first token, nothing of the prompt in the cache. */
export async function measureFirstToken(
  conversation: Conversation,
  tokens: number,
  options: MeasureOptions,
): Promise<FirstTokenResult> {
  const once = async () => {
    conversation.engine.forget()
    return (await conversation.decode(tokens, 1)).firstSeconds
  }
  await warmUp(options, once)
  return { tokens, seconds: await repeat(options, once) }
}

/** Decoding behind `context` tokens. */
export async function measureDecode(
  conversation: Conversation,
  context: number,
  options: MeasureOptions,
  adapter?: AdapterHandle,
): Promise<DecodeResult> {
  const { contextLength } = conversation.engine
  const tokens = Math.min(options.tokens, contextLength - 2)
  // The first id comes from prefill and is not timed.
  const start = Math.min(context, contextLength - tokens - 1)
  await warmUp(options, () => conversation.decode(start, tokens + 1, adapter))
  const seconds = await repeat(
    options,
    async () => (await conversation.decode(start, tokens + 1, adapter)).seconds / tokens,
  )
  await conversation.checkLogits()
  const lora = adapter?.kind === 'lora' ? adapter.name : undefined
  return { context, start, prefix: adapter?.length ?? 0, ...(lora && { lora }), tokens, seconds }
}
