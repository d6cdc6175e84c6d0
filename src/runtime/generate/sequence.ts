import { invalidOption, nonFiniteOutput } from '../../errors/index.js'
import type { LikelyId, RowScores } from '../../kernels/index.js'
import type { Tokenizer } from '../../tokenizer/index.js'
import type { ChunkOutput, RowOutput, SequenceStart } from '../engine/index.js'
import { Answer } from './answer.js'
import type { Constraint } from './constraint/constraint.js'
import type { GeneratedToken, Generation, TokenLogprob } from './generation.js'

/** Who hears of what becomes of a sequence. */
export interface SequenceListener {
  /** Its place was given, and so much of its prompt was in the cache already. */
  onStart?(cachedTokens: number): void
  /** Whether it can take more now; a sequence whose listener cannot is not computed until `Scheduler.wake`. */
  readonly ready?: () => boolean
}

/** Listens to a sequence that generates. */
export interface AnswerListener extends SequenceListener {
  onToken(token: GeneratedToken): void
  onEnd(generation: Generation): void
  onError(error: unknown): void
}

/** Listens to a sequence whose logits are wanted. */
export interface LogitsListener extends SequenceListener {
  /** @param logits f32 [rows, vocabulary], of the rows that follow those before */
  onLogits(logits: Float32Array): void
  onEnd(): void
  onError(error: unknown): void
}

/** Listens to a sequence that is scored. */
export interface ScoresListener extends SequenceListener {
  /** @param scores of the positions that follow those before */
  onScores(scores: readonly RowScores[]): void
  onEnd(): void
  onError(error: unknown): void
}

/**
 * Prompt and answer, from the call that asks for it to its end: what the scheduler runs. All that differs between
 * sequences is here: prompt, prefix and strength, sampling, stop rules, limit, signal.
 */
export interface Sequence {
  readonly start: SequenceStart
  readonly signal: AbortSignal | undefined
  readonly listener: SequenceListener
  /** What the answer must keep to, where it must: then no step of it runs ahead of the last. */
  readonly constraint?: Constraint | undefined
  /** What is wanted: an answer, or something at every position of the prompt. */
  readonly wants: 'answer' | 'logits' | 'scores'
  /** Whether its end was told; nothing is computed for it any more. */
  readonly ended: boolean
  /** Ids that its constraint leaves no choice about, so many at most. */
  forcedIds?(most: number): readonly number[]
  /** These ids will be in its next step, before what is sampled. */
  force?(ids: readonly number[]): void
  /** Takes an id of the answer, behind those that were forced. */
  accept(sampled: RowOutput): void
  /** Takes what a chunk of the prompt gave. */
  acceptChunk(output: ChunkOutput): void
  /** Ends it with an error: nothing happens where it has ended already. */
  fail(error: unknown): void
}

/** How an answer ends. */
export interface AnswerRules {
  readonly maxTokens: number
  readonly stop: readonly string[]
  /** Positions that prompt and answer together may take. */
  readonly available: number
  readonly constraint?: Constraint | undefined
}

/** A sequence that generates an answer. */
export class AnswerSequence implements Sequence {
  readonly start: SequenceStart
  readonly signal: AbortSignal | undefined
  readonly listener: AnswerListener
  readonly wants = 'answer'
  readonly #answer: Answer
  readonly #rules: AnswerRules
  #cachedTokens = 0
  /** Ids of the step under way that come before what it samples. */
  #forced: readonly number[] = []
  #ended = false

  constructor(
    tokenizer: Tokenizer,
    start: SequenceStart,
    rules: AnswerRules,
    listener: AnswerListener,
    signal?: AbortSignal,
  ) {
    this.start = start
    this.signal = signal
    this.#rules = rules
    this.#answer = new Answer(tokenizer, rules.stop, (start.likeliest ?? 0) > 0)
    this.listener = {
      ...listener,
      onStart: (cachedTokens) => {
        this.#cachedTokens = cachedTokens
        listener.onStart?.(cachedTokens)
      },
    }
  }

  get ended(): boolean {
    return this.#ended
  }

  get constraint(): Constraint | undefined {
    return this.#rules.constraint
  }

  forcedIds(most: number): readonly number[] {
    const { constraint, start } = this
    const room = start.positionLimit - start.ids.length - this.#answer.ids.length - 1
    return (room > 0 && constraint?.forced?.(Math.min(most, room))) || []
  }

  force(ids: readonly number[]): void {
    for (const id of ids) this.constraint?.accept(id)
    this.#forced = ids
  }

  /** Gives out the ids that were forced. */
  #acceptForced(scores: readonly RowScores[]): void {
    const withTop = (this.start.likeliest ?? 0) > 0
    this.#forced.forEach((id, i) => {
      const { logProbability, likeliest } = scores[i]
      const top = withTop ? likeliest.map(tokenLogprob) : undefined
      this.listener.onToken(this.#answer.push(id, logProbability, top))
    })
    this.#forced = []
  }

  accept({ id, logProbability, notFinite, allBanned, likeliest, forced }: RowOutput): void {
    if (this.#ended) return
    if (forced) this.#acceptForced(forced)
    const { start } = this
    const answer = this.#answer
    const position = start.ids.length + answer.ids.length
    if (notFinite) this.fail(nonFiniteOutput(position))
    if (allBanned) {
      this.fail(
        this.constraint
          ? invalidOption(
              'constraint',
              'one of whose tokens all are banned',
              'bans that leave a token to choose',
            )
          : invalidOption('bannedIds', 'every token', 'bans that leave a token to choose'),
      )
    }
    if (id === undefined) return
    const isStop = start.stopIds.includes(id)
    const top = likeliest?.map(tokenLogprob)
    const token = isStop ? answer.stop(id, logProbability, top) : answer.push(id, logProbability, top)
    try {
      this.constraint?.accept(id)
    } catch (error) {
      this.fail(error)
      return
    }
    if (!answer.finishReason && this.constraint?.done) answer.finishReason = 'stop'
    if (!answer.finishReason && answer.ids.length >= this.#rules.maxTokens) answer.finishReason = 'length'
    if (!answer.finishReason && position + 1 >= this.#rules.available) answer.finishReason = 'context'
    if (!answer.finishReason) {
      this.listener.onToken(token)
      return
    }
    this.#ended = true
    this.listener.onToken({ ...token, text: token.text + answer.flush() })
    this.listener.onEnd(answer.summary(start.ids.length, this.#cachedTokens))
  }

  acceptChunk({ sampled }: ChunkOutput): void {
    if (sampled) this.accept(sampled)
  }

  fail(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.listener.onError(error)
  }
}

/** What the engine calls the likelihood of an id, as the library gives it out. */
export function tokenLogprob({ id, logProbability }: LikelyId): TokenLogprob {
  return { id, logprob: logProbability }
}

/** A sequence whose logits at every position are wanted. */
export class LogitsSequence implements Sequence {
  readonly start: SequenceStart
  readonly signal: AbortSignal | undefined
  readonly listener: LogitsListener
  readonly wants = 'logits'
  readonly #vocabulary: number
  #rows = 0
  #ended = false

  constructor(start: SequenceStart, vocabulary: number, listener: LogitsListener, signal?: AbortSignal) {
    this.start = start
    this.listener = listener
    this.signal = signal
    this.#vocabulary = vocabulary
  }

  get ended(): boolean {
    return this.#ended
  }

  accept(): void {
    // Nothing is sampled behind it.
  }

  acceptChunk({ logits }: ChunkOutput): void {
    if (this.#ended || !logits) return
    this.listener.onLogits(logits)
    this.#rows += logits.length / this.#vocabulary
    if (this.#rows < this.start.ids.length) return
    this.#ended = true
    this.listener.onEnd()
  }

  fail(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.listener.onError(error)
  }
}

/** A sequence that is scored: how likely each of its ids is. */
export class ScoresSequence implements Sequence {
  readonly start: SequenceStart
  readonly signal: AbortSignal | undefined
  readonly listener: ScoresListener
  readonly wants = 'scores'
  #rows = 0
  #ended = false

  constructor(start: SequenceStart, listener: ScoresListener, signal?: AbortSignal) {
    this.start = start
    this.listener = listener
    this.signal = signal
  }

  get ended(): boolean {
    return this.#ended
  }

  accept(): void {
    // Nothing is sampled behind it.
  }

  acceptChunk({ scores }: ChunkOutput): void {
    if (this.#ended || !scores) return
    this.listener.onScores(scores)
    this.#rows += scores.length
    if (this.#ended || this.#rows < this.start.ids.length) return
    this.#ended = true
    this.listener.onEnd()
  }

  fail(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.listener.onError(error)
  }
}
