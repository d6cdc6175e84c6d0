import {
  type AdapterHandle,
  resolveSampling,
  type SampledId,
  type Slot,
  type StepOutput,
  type WebGpuEngine,
} from '../common/internals.js'
import { randomIds } from '../common/random.js'

/** The output is not that of a model that works, so its time means nothing. */
export class WrongOutputError extends Error {
  override readonly name = 'WrongOutputError'
}

/** What one run of decoding gave. */
export interface DecodeRun {
  readonly ids: readonly number[]
  /** From the call to the first id. */
  readonly firstSeconds: number
  /** From the first id to the last. */
  readonly seconds: number
}

/** One random sequence on an engine, of which prompts are the beginnings. */
export class Conversation {
  readonly engine: WebGpuEngine
  readonly #ids: readonly number[]
  readonly #seed: number

  constructor(engine: WebGpuEngine, seed: number) {
    this.engine = engine
    this.#seed = seed
    this.#ids = randomIds(engine.contextLength, engine.config.vocabulary, seed)
  }

  /** A slot for a prompt. */
  #open(length: number, prefix?: AdapterHandle) {
    const { engine } = this
    const start = {
      ids: this.#ids.slice(0, length),
      prefix,
      prefixStrength: 1,
      sampling: resolveSampling({ seed: this.#seed }, engine.config.vocabulary),
      stopIds: [],
      positionLimit: engine.contextLength,
    }
    const slot = engine.open(start)
    if (!slot) throw new Error('The engine has no place for the benchmark.')
    return slot
  }

  /** Computes a slot's prompt chunk by chunk, as a scheduler does: two are under way. @returns the first id */
  async #computePrompt(slot: Slot): Promise<SampledId | undefined> {
    const { engine } = this
    const underWay: StepOutput['chunks'][] = []
    let chunks: Awaited<StepOutput['chunks']> = []
    while (slot.pendingTokens > 0) {
      const count = Math.min(engine.chunkTokens, slot.pendingTokens)
      const step = { rows: [], chunks: [{ slot, count }] }
      await engine.prepare(step)
      underWay.push(engine.run(step).chunks)
      if (underWay.length > 1) chunks = (await underWay.shift()) ?? []
    }
    for (const step of underWay) chunks = await step
    return chunks[0]?.sampled
  }

  /** Computes a prompt, nothing of it in the cache, with the first id behind it. @returns seconds */
  async prefill(length: number): Promise<number> {
    this.engine.forget()
    const started = performance.now()
    const slot = this.#open(length)
    await this.#computePrompt(slot)
    const seconds = (performance.now() - started) / 1000
    this.engine.close(slot)
    return seconds
  }

  /**
   * Generates behind a prompt, of which the cache gives what it can.
   * @param steps ids to generate
   * @throws WrongOutputError
   */
  async decode(length: number, steps: number, prefix?: AdapterHandle): Promise<DecodeRun> {
    const { engine } = this
    const ids: number[] = []
    const started = performance.now()
    const slot = this.#open(length, prefix)
    const take = (output: SampledId | undefined) => {
      const at = length + ids.length
      if (!output || output.id === undefined) throw new WrongOutputError(`No id at position ${at}.`)
      if (output.notFinite) throw new WrongOutputError(`Logits at position ${at} are not finite.`)
      ids.push(output.id)
      return performance.now()
    }
    const first = take(await this.#computePrompt(slot))
    let last = first
    const step = { rows: [slot], chunks: [] }
    await engine.prepare(step)
    const underWay: StepOutput['rows'][] = []
    let submitted = 1
    while (ids.length < steps) {
      while (submitted < steps && underWay.length < engine.stepsUnderWay) {
        if (!engine.reserve(slot)) throw new Error('The cache has no page for the benchmark.')
        underWay.push(engine.run(step).rows)
        submitted++
      }
      last = take((await underWay.shift())?.[0])
    }
    engine.close(slot)
    this.#check(ids)
    return { ids, firstSeconds: (first - started) / 1000, seconds: (last - first) / 1000 }
  }

  #check(ids: readonly number[]): void {
    const { vocabulary } = this.engine.config
    const outside = ids.find((id) => id >= vocabulary)
    if (outside !== undefined) throw new WrongOutputError(`Id ${outside} is outside the vocabulary.`)
    // Even a model that repeats itself takes a few ids in turn.
    if (ids.length >= 8 && new Set(ids).size < 2) throw new WrongOutputError(`All ids are ${ids[0]}.`)
  }

  /** @throws WrongOutputError unless the last step's logits are finite and differ */
  async checkLogits(): Promise<void> {
    const { gpu, tables, config } = this.engine
    const logits = new Float32Array(await gpu.read(tables.logits, 0, config.vocabulary * 4))
    if (!logits.every(Number.isFinite)) throw new WrongOutputError('Some logits are not finite.')
    if (new Set(logits).size < logits.length / 16) throw new WrongOutputError('The logits hardly differ.')
  }
}
