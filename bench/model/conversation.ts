import { type Engine, type Prefix, resolveSampling } from '../common/internals.js'
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
  readonly engine: Engine
  readonly #ids: readonly number[]
  readonly #seed: number

  constructor(engine: Engine, seed: number) {
    this.engine = engine
    this.#seed = seed
    this.#ids = randomIds(engine.contextLength, engine.config.vocabulary, seed)
  }

  #prompt(length: number) {
    const ids = this.#ids.slice(0, length)
    return { ids, seed: this.#seed, positionLimit: this.engine.contextLength }
  }

  /** Computes a prompt, nothing of it in the cache, and waits for it. @returns seconds */
  async prefill(length: number): Promise<number> {
    this.engine.cache.forget()
    const started = performance.now()
    await this.engine.prefill([this.#prompt(length)], { prefix: undefined, prefixStrength: 1 })
    await this.engine.gpu.finish()
    return (performance.now() - started) / 1000
  }

  /**
   * Generates behind a prompt, of which the cache gives what it can.
   * @param steps ids to generate
   * @throws WrongOutputError
   */
  async decode(length: number, steps: number, prefix?: Prefix): Promise<DecodeRun> {
    const { engine } = this
    const prompt = this.#prompt(length)
    const sampling = resolveSampling({ seed: this.#seed }, engine.config.vocabulary)
    const ids: number[] = []
    const started = performance.now()
    let first = started
    let last = started
    await engine.prefill([prompt], { prefix, prefixStrength: 1 })
    for await (const [{ id, notFinite }] of engine.decode([prompt], prefix, sampling, [], steps)) {
      last = performance.now()
      if (ids.length === 0) first = last
      if (notFinite) throw new WrongOutputError(`Logits at position ${length + ids.length} are not finite.`)
      if (id === undefined) throw new WrongOutputError(`No id at position ${length + ids.length}.`)
      ids.push(id)
    }
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
    const { gpu, sampler } = this.engine
    const logits = new Float32Array(await gpu.read(sampler.logits))
    if (!logits.every(Number.isFinite)) throw new WrongOutputError('Some logits are not finite.')
    if (new Set(logits).size < logits.length / 16) throw new WrongOutputError('The logits hardly differ.')
  }
}
