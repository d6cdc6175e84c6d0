import { nonFiniteOutput } from '../../errors/index.js'
import type { RowScores } from '../../kernels/index.js'
import type { Tokenizer } from '../../tokenizer/index.js'
import type { Engine } from '../engine/index.js'
import { Channel } from './channel.js'
import type { BatchToken, Generation, GenerationStats, ResolvedGeneration } from './generation.js'
import type { TokenScores } from './model-api.js'
import type { Scheduler } from './scheduler.js'
import { AnswerSequence, LogitsSequence, ScoresSequence, type Sequence, tokenLogprob } from './sequence.js'

/** Tokens of a sequence that may wait for a reader before the sequence waits, too. */
const READ_AHEAD = 4

/** What sequences are run on. */
export interface SequenceRunner {
  readonly engine: Engine
  readonly scheduler: Scheduler
  readonly tokenizer: Tokenizer
}

/** Counts and times of a call. */
class Measures {
  readonly #started = performance.now()
  #first: number | undefined
  #last = this.#started
  #tokens = 0
  #prefillTokens = 0
  #sequences = 0

  /** A sequence got its place. @param computed ids of its prompt that must be computed */
  start(computed: number): void {
    this.#sequences++
    this.#prefillTokens += computed
  }

  token(): void {
    this.#last = performance.now()
    this.#first ??= this.#last
    this.#tokens++
  }

  get stats(): GenerationStats {
    const first = this.#first ?? this.#last
    return {
      prefillTokens: this.#prefillTokens,
      prefillSeconds: (first - this.#started) / 1000,
      decodeTokens: Math.max(0, this.#tokens - this.#sequences),
      decodeSeconds: (this.#last - first) / 1000,
    }
  }
}

/**
 * Generates for prompts side by side, as many at once as the engine has places for, and the rest after them. Leaving the
 * loop ends all.
 * @param onStats told at the end how long it took
 * @yields tokens as they come, each with the index of its prompt
 * @throws `checkpoint.not-finite`, `device.lost`, `busy.waiting`, and the signal's reason
 */
export async function* generateAll(
  { engine, scheduler, tokenizer }: SequenceRunner,
  prompts: readonly (readonly number[])[],
  options: ResolvedGeneration,
  onStats: (stats: GenerationStats) => void,
  signal?: AbortSignal,
): AsyncGenerator<BatchToken, Generation[]> {
  const { prefix, prefixStrength, sampling, stopIds, stop, maxTokens, topLogprobs: likeliest } = options
  const available = engine.available(prefix)
  const generations: Generation[] = []
  const measures = new Measures()
  const sequences = new Set<Sequence>()
  const tokens = new Channel<BatchToken>(() => scheduler.wake())
  let next = 0
  const add = (index: number) => {
    const ids = prompts[index]
    // Seeds of a batch differ, or equal prompts would get equal answers.
    const seeded = { ...sampling, seed: sampling.seed + index }
    const positionLimit = Math.min(available, ids.length + maxTokens)
    const constraint = options.constraint?.()
    const constrained = constraint !== undefined
    const common = { ids, prefix, prefixStrength, stopIds, positionLimit, likeliest }
    const start = { ...common, sampling: seeded, constrained }
    const sequence = new AnswerSequence(
      tokenizer,
      start,
      { maxTokens, stop, available, constraint },
      {
        ready: () => tokens.size < READ_AHEAD * sequences.size,
        onStart: (cachedTokens) => measures.start(ids.length - cachedTokens),
        onToken: (token) => {
          measures.token()
          tokens.push({ index, ...token })
        },
        onEnd: (generation) => {
          generations[index] = generation
          sequences.delete(sequence)
          addMore()
        },
        onError: (error) => tokens.fail(error),
      },
      signal,
    )
    sequences.add(sequence)
    scheduler.add(sequence)
  }
  const addMore = () => {
    try {
      // Twice as many as have a place, so that none is ever free.
      while (next < prompts.length && sequences.size < 2 * engine.maxSequences) add(next++)
      if (sequences.size === 0) tokens.end()
    } catch (error) {
      tokens.fail(error)
    }
  }
  try {
    addMore()
    for await (const token of tokens) yield token
    return generations
  } finally {
    for (const sequence of sequences)
      scheduler.remove(sequence, new Error('Nobody waits for the answer any more.'))
    onStats(measures.stats)
  }
}

/**
 * The logits at every position of a sequence.
 * @returns f32 [ids.length, vocabulary]
 */
export function logitsOf(
  { engine, scheduler }: SequenceRunner,
  ids: readonly number[],
  { prefix, prefixStrength, sampling }: Pick<ResolvedGeneration, 'prefix' | 'prefixStrength' | 'sampling'>,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const { vocabulary } = engine.config
  const result = new Float32Array(ids.length * vocabulary)
  const positionLimit = ids.length
  const start = { ids, prefix, prefixStrength, sampling, stopIds: [], positionLimit, fresh: true }
  return new Promise((resolve, reject) => {
    let done = 0
    const onLogits = (logits: Float32Array) => {
      result.set(logits, done)
      done += logits.length
    }
    const listener = { onLogits, onEnd: () => resolve(result), onError: reject }
    scheduler.add(new LogitsSequence(start, vocabulary, listener, signal))
  })
}

/**
 * How likely each id of a sequence is behind those before it.
 * @param top how many of the likeliest ids to give at each position
 */
export function scoresOf(
  { scheduler }: Pick<SequenceRunner, 'scheduler'>,
  ids: readonly number[],
  { prefix, prefixStrength, sampling }: Pick<ResolvedGeneration, 'prefix' | 'prefixStrength' | 'sampling'>,
  top: number,
  signal?: AbortSignal,
): Promise<TokenScores> {
  const positionLimit = ids.length
  const common = { ids, prefix, prefixStrength, sampling, stopIds: [], positionLimit, fresh: true }
  return new Promise((resolve, reject) => {
    const rows: RowScores[] = []
    const listener = {
      onScores: (scores: readonly RowScores[]) => {
        rows.push(...scores)
        const wrong = rows.findIndex(
          ({ logProbability }, i) => Number.isNaN(logProbability) && i + 1 < ids.length,
        )
        if (wrong >= 0) sequence.fail(nonFiniteOutput(wrong))
      },
      onEnd: () => {
        const likeliest = rows.map((row) => row.likeliest.map(tokenLogprob))
        resolve({
          tokens: ids.map((id, i) =>
            i === 0
              ? { id, logprob: undefined, top: [] }
              : { id, logprob: rows[i - 1].logProbability, top: likeliest[i - 1] },
          ),
          next: likeliest[ids.length - 1],
        })
      },
      onError: reject,
    }
    const sequence = new ScoresSequence({ ...common, likeliest: top }, listener, signal)
    scheduler.add(sequence)
  })
}
