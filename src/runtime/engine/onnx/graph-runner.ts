import type { OnnxModelFiles } from './model-files.js'
import { cacheNames, floatsOf } from './past.js'
import type { OnnxRuntime, OnnxSession, OnnxValues } from './runtime.js'

/** The unit of the weights of rows in a mask: see `chatglmGraph`. */
const WEIGHTS_OF_ONE = 2 ** 40

/** Rows to compute behind those that are cached. */
export interface GraphRows {
  readonly ids: readonly number[]
  /** Position of the first id. */
  readonly position: number
  readonly prefixLength: number
  readonly prefixStrength: number
  readonly past: OnnxValues
}

/** Runs a graph, one run after the other. */
export class GraphRunner {
  readonly #runtime: OnnxRuntime
  readonly #session: OnnxSession
  readonly #files: OnnxModelFiles
  readonly #names: ReturnType<typeof cacheNames>
  #last: Promise<unknown> = Promise.resolve()

  constructor(runtime: OnnxRuntime, session: OnnxSession, files: OnnxModelFiles) {
    this.#runtime = runtime
    this.#session = session
    this.#files = files
    this.#names = cacheNames(files.config.layers)
  }

  /**
   * Computes rows. The past is consumed.
   * @param wantsLogits whether the logits at every row are given
   * @returns the past with these rows, and f32 [ids.length, vocabulary]
   */
  async run(
    { ids, position, prefixLength, prefixStrength, past }: GraphRows,
    wantsLogits: boolean,
  ): Promise<{ past: OnnxValues; logits: Float32Array | undefined }> {
    const cached = prefixLength + position
    const mask = new BigInt64Array(cached + ids.length).fill(1n)
    if (prefixStrength < 1) {
      mask.fill(BigInt(Math.max(2, Math.round(prefixStrength * WEIGHTS_OF_ONE))), 0, prefixLength)
    }
    const integers = (values: BigInt64Array) => new this.#runtime.Tensor('int64', values, [1, values.length])
    const positions = () => integers(BigInt64Array.from(ids, (_, i) => BigInt(position + i)))
    const feeds = {
      input_ids: integers(BigInt64Array.from(ids, BigInt)),
      attention_mask: integers(mask),
      ...(!this.#files.rotation && { position_ids: positions() }),
      ...past,
    }
    const fetches = this.#names.map(({ present }) => present)
    const results = await this.#session.run(feeds, wantsLogits ? ['logits', ...fetches] : fetches)
    for (const tensor of Object.values(past)) tensor.dispose()
    const logits = wantsLogits ? floatsOf(await results.logits.getData(), this.#files.element) : undefined
    const next = Object.fromEntries(this.#names.map(({ past: name, present }) => [name, results[present]]))
    return { past: next, logits }
  }

  /** Runs work after all that was asked for before: a session takes one call at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Ends the session, after what is under way. */
  dispose(): void {
    this.inTurn(() => this.#session.release()).catch(() => {})
  }
}
