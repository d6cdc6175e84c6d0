import type { ChunkOutput, Constraint, RowOutput, Sequence, SequenceStart } from '../common/internals.js'

/** A sequence of a benchmark: it notes when each of its ids came. */
export class TimedSequence implements Sequence {
  readonly start: SequenceStart
  readonly signal = undefined
  readonly wants = 'answer'
  readonly listener = {}
  readonly done: Promise<void>
  /** Milliseconds by the clock of `performance`, one for each id. */
  readonly times: number[] = []
  ended = false
  readonly constraint: Constraint | undefined
  readonly #tokens: number
  #resolve = () => {}
  #reject: (error: unknown) => void = () => {}

  /** @param tokens ids after which it ends */
  constructor(start: SequenceStart, tokens: number, constraint?: Constraint) {
    this.start = start
    this.constraint = constraint
    this.#tokens = tokens
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  forcedIds(most: number): readonly number[] {
    const room = this.#tokens - this.times.length - 1
    return (room > 0 && this.constraint?.forced?.(Math.min(most, room))) || []
  }

  force(ids: readonly number[]): void {
    for (const id of ids) this.constraint?.accept(id)
  }

  accept({ id, notFinite, forced = [] }: RowOutput): void {
    if (this.ended) return
    for (const _ of forced) this.times.push(performance.now())
    if (notFinite || id === undefined) {
      const problem = notFinite ? 'No finite logits' : 'No id that is allowed'
      this.fail(new Error(`${problem} at position ${this.start.ids.length + this.times.length}.`))
      return
    }
    this.constraint?.accept(id)
    this.times.push(performance.now())
    if (this.times.length < this.#tokens) return
    this.ended = true
    this.#resolve()
  }

  acceptChunk({ sampled }: ChunkOutput): void {
    if (sampled) this.accept(sampled)
  }

  fail(error: unknown): void {
    if (this.ended) return
    this.ended = true
    this.#reject(error)
  }

  /** The longest time between two ids, in milliseconds. @param from only what ends after this time */
  longestGap(from = 0): number {
    const gaps = this.times.slice(1).map((time, i) => (time > from ? time - this.times[i] : 0))
    return Math.max(0, ...gaps)
  }
}
