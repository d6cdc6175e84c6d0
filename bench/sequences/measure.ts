import {
  type Constraint,
  type Prefix,
  resolveSampling,
  Scheduler,
  type WebGpuEngine,
} from '../common/internals.js'
import { randomIds } from '../common/random.js'
import { randomPrefix } from '../model/random-weights.js'
import { TimedSequence } from './timed-sequence.js'

const SEED = 7

/** A scheduler, and sequences with random prompts of their own, so that they share nothing but a prefix. */
export class Crowd {
  readonly engine: WebGpuEngine
  readonly scheduler: Scheduler
  #made = 0

  constructor(engine: WebGpuEngine) {
    this.engine = engine
    this.scheduler = new Scheduler(engine)
  }

  add(promptTokens: number, tokens: number, prefix?: Prefix, constraint?: Constraint): TimedSequence {
    const { vocabulary } = this.engine.config
    const ids = randomIds(promptTokens, vocabulary, SEED + ++this.#made)
    const sampling = resolveSampling({ seed: this.#made }, vocabulary)
    const positionLimit = promptTokens + tokens
    const constrained = constraint !== undefined
    const start = { ids, prefix, prefixStrength: 1, sampling, stopIds: [], positionLimit, constrained }
    const sequence = new TimedSequence(start, tokens, constraint)
    this.scheduler.add(sequence)
    return sequence
  }

  /** Waits until nothing is under way, and forgets what the cache holds. */
  async clear(): Promise<void> {
    await this.scheduler.exclusively(async () => this.engine.forget())
  }
}

/** Answers side by side. */
export interface TogetherResult {
  readonly sequences: number
  /** Of all answers together, while all of them run. */
  readonly tokensPerSecond: number
  /** Milliseconds in which a step is composed, and its sequences told what it gave: without encoding it for the GPU. */
  readonly schedulingMsPerStep: number
}

/** @param begin makes what each answer must keep to; free ones without it */
export async function measureTogether(
  crowd: Crowd,
  sequences: number,
  promptTokens: number,
  tokens: number,
  begin?: () => Constraint,
): Promise<TogetherResult> {
  await crowd.clear()
  const { steps, schedulingMs } = { ...crowd.scheduler.counts }
  const all = Array.from({ length: sequences }, () => crowd.add(promptTokens, tokens, undefined, begin?.()))
  await Promise.all(all.map(({ done }) => done))
  const from = Math.max(...all.map(({ times }) => times[0]))
  const to = Math.min(...all.map(({ times }) => times[times.length - 1]))
  const made = all.reduce(
    (sum, { times }) => sum + times.filter((time) => time > from && time <= to).length,
    0,
  )
  const after = crowd.scheduler.counts
  return {
    sequences,
    tokensPerSecond: made / ((to - from) / 1000),
    schedulingMsPerStep: (after.schedulingMs - schedulingMs) / (after.steps - steps),
  }
}

/** The cache that answers behind one prefix take. */
export interface PrefixResult {
  readonly sequences: number
  readonly prefixLength: number
  readonly promptTokens: number
  readonly usedBytes: number
  /** What the rows would take with a prefix for each. */
  readonly apartBytes: number
}

export async function measurePrefix(
  crowd: Crowd,
  sequences: number,
  prefixLength: number,
  promptTokens: number,
): Promise<PrefixResult> {
  await crowd.clear()
  const { engine } = crowd
  const prefix = await randomPrefix(engine.gpu, engine.config, prefixLength, SEED)
  const before = engine.cacheUsed
  const all = Array.from({ length: sequences }, () => crowd.add(promptTokens, 2, prefix))
  await Promise.all(all.map(({ done }) => done))
  const usedBytes = engine.cacheUsed - before
  await crowd.scheduler.exclusively(async () => engine.release(prefix))
  engine.gpu.free(prefix.rows)
  const { layers, kvGroups, headDim } = engine.config
  const apartBytes = sequences * (prefixLength + promptTokens) * 4 * layers * kvGroups * headDim
  return { sequences, prefixLength, promptTokens, usedBytes, apartBytes }
}

/** A prompt that arrives beside answers that stream; milliseconds. */
export interface ArrivalResult {
  readonly answers: number
  readonly promptTokens: number
  readonly chunkTokens: number
  /** A chunk of such a prompt alone, on average. */
  readonly chunkMs: number
  /** The longest time between two ids of an answer, before it arrives and from then on. */
  readonly quietGapMs: number
  readonly gapMs: number
  readonly firstTokenMs: number
}

export async function measureArrival(
  crowd: Crowd,
  answers: number,
  promptTokens: number,
  tokens: number,
): Promise<ArrivalResult> {
  const { chunkTokens } = crowd.engine
  await crowd.clear()
  const alone = crowd.add(promptTokens, 1)
  const started = performance.now()
  await alone.done
  const chunkMs = (performance.now() - started) / Math.ceil(promptTokens / chunkTokens)
  await crowd.clear()
  const streaming = Array.from({ length: answers }, () => crowd.add(8, tokens))
  const quarter = Math.ceil(tokens / 4)
  while (streaming.some(({ times }) => times.length < quarter)) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const settled = Math.max(...streaming.map(({ times }) => times[Math.floor(quarter / 2)]))
  const quietGapMs = Math.max(...streaming.map((one) => one.longestGap(settled)))
  const arrived = performance.now()
  const long = crowd.add(promptTokens, 1)
  await Promise.all([long, ...streaming].map(({ done }) => done))
  const gapMs = Math.max(...streaming.map((one) => one.longestGap(arrived)))
  const firstTokenMs = long.times[0] - arrived
  return { answers, promptTokens, chunkTokens, chunkMs, quietGapMs, gapMs, firstTokenMs }
}
