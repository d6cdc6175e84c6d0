import { contextOverflow, tooManyWaiting } from '../../errors/index.js'
import type { Chunk, Engine, Slot, Step, StepOutput, SuspendedSequence } from '../engine/index.js'
import type { Sequence } from './sequence.js'

/** Sequences that may wait for a place where the caller names no limit. */
export const DEFAULT_WAITING = 1024

/** A sequence that has a place. */
interface Running {
  readonly sequence: Sequence
  readonly slot: Slot
  /** Its turn: older ones go first. */
  readonly turn: number
  /** Steps under way that it is in. */
  steps: number
  /** Gives its place to an older one as soon as no step of it is under way. */
  yields: boolean
}

/** A sequence that waits for a place: for the first time, or again. */
interface Waiting {
  readonly sequence: Sequence
  /** Its turn: older ones go first. */
  readonly turn: number
  readonly suspended?: SuspendedSequence
}

/** Work that needs the engine for itself. */
interface Exclusive {
  readonly turn: number
  readonly work: () => Promise<void>
  readonly fail: (error: unknown) => void
}

/** A step that was submitted. */
interface UnderWay {
  readonly rows: readonly Running[]
  readonly chunks: readonly Running[]
  readonly output: StepOutput
}

/** What the loop has done, for whoever measures it. */
export interface SchedulerCounts {
  /** Steps that were submitted. */
  readonly steps: number
  /** Milliseconds in which steps were composed, and sequences told what they gave, in all: not what the engine takes. */
  readonly schedulingMs: number
  /** Times that a sequence gave its place to an older one. */
  readonly suspensions: number
}

/** How many sequences a model has to do with. */
export interface ModelLoad {
  /** Sequences that have a place. */
  readonly running: number
  /** Sequences that wait for one. */
  readonly waiting: number
}

/**
 * Runs sequences on an engine, any number at once: composes steps of the rows of running answers and of chunks of prompts,
 * and tells each sequence what it got. First come, first served: who comes first gets a place first, then computes its
 * prompt first, and keeps its pages when there are too few. A long prompt delays answers under way by one chunk a step.
 */
export class Scheduler {
  readonly #engine: Engine
  readonly #maxWaiting: number
  /** In the order of their turns. */
  readonly #waiting: Waiting[] = []
  /** In the order of their turns. */
  #running: Running[] = []
  readonly #underWay: UnderWay[] = []
  #turns = 0
  #loop: Promise<void> | undefined
  #wake: (() => void) | undefined
  /** Work that needs the engine for itself, in the order of its turns. */
  readonly #exclusive: Exclusive[] = []
  /** What takes the listeners off the signals. */
  readonly #listening = new Map<Sequence, () => void>()
  #ended: { readonly error: unknown } | undefined
  #counts = { steps: 0, schedulingMs: 0, suspensions: 0 }

  constructor(engine: Engine, maxWaiting = DEFAULT_WAITING) {
    this.#engine = engine
    this.#maxWaiting = maxWaiting
  }

  get counts(): SchedulerCounts {
    return this.#counts
  }

  get load(): ModelLoad {
    return { running: this.#running.length, waiting: this.#waiting.length }
  }

  /**
   * Takes a sequence; what becomes of it is told to its listener.
   * @throws `busy.waiting` where too many wait already, the error that ended the scheduler, the signal's reason
   */
  add(sequence: Sequence): void {
    if (this.#ended) throw this.#ended.error
    sequence.signal?.throwIfAborted()
    if (this.#waiting.length >= this.#maxWaiting) throw tooManyWaiting(this.#maxWaiting)
    this.#waiting.push({ sequence, turn: this.#turns++ })
    this.#listen(sequence)
    this.wake()
  }

  #listen(sequence: Sequence): void {
    const { signal } = sequence
    if (!signal) return
    const abort = () => this.remove(sequence, signal.reason)
    signal.addEventListener('abort', abort)
    this.#listening.set(sequence, () => signal.removeEventListener('abort', abort))
  }

  /** Ends a sequence that nobody wants any more. */
  remove(sequence: Sequence, reason: unknown): void {
    sequence.fail(reason)
    this.wake()
  }

  /** Looks for work again: a listener can take more. */
  wake(): void {
    this.#wake?.()
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined
      // What came while the loop was ending.
      if (this.#hasWork && !this.#ended) this.wake()
    })
  }

  /** Runs work while no sequence is computed: after those that came before it, and before those that come later. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended.error)
    return new Promise<T>((resolve, reject) => {
      this.#exclusive.push({ turn: this.#turns++, work: () => work().then(resolve, reject), fail: reject })
      this.wake()
    })
  }

  /** Ends all sequences with an error, now and from now on. */
  end(error: unknown): void {
    this.#ended ??= { error }
    for (const { sequence } of [...this.#waiting, ...this.#running]) sequence.fail(error)
    this.#waiting.length = 0
    for (const { fail } of this.#exclusive.splice(0)) fail(error)
    for (const sequence of [...this.#listening.keys()]) this.#forget(sequence)
    this.#wake?.()
  }

  get #hasWork(): boolean {
    return this.#waiting.length + this.#running.length + this.#exclusive.length > 0
  }

  async #run(): Promise<void> {
    try {
      while (!this.#ended && (this.#hasWork || this.#underWay.length > 0)) {
        this.#retire()
        await this.#suspendYielding()
        const step = this.#compose()
        if (step) await this.#submit(step)
        else if (this.#underWay.length > 0) await this.#settle()
        else if (this.#isExclusiveDue) await this.#exclusive.shift()?.work()
        // One that was told to yield in this turn, or failed in it, leaves in the next.
        else if (this.#hasWork && !this.#running.some(({ yields, sequence }) => yields || sequence.ended)) {
          await this.#sleep()
        }
        if (this.#underWay.length >= this.#mostUnderWay) await this.#settle()
      }
    } catch (error) {
      this.end(error)
    } finally {
      await Promise.allSettled(this.#underWay.flatMap(({ output }) => [output.rows, output.chunks]))
      this.#underWay.length = 0
      this.#running = []
    }
  }

  /** Steps that may be under way; fewer with chunks of prompts, which an abort would have to wait for, and with constraints. */
  get #mostUnderWay(): number {
    const hasChunks = this.#underWay.some(({ chunks }) => chunks.length > 0)
    // A constrained sequence waits for its last step: the further others run ahead of it, the fewer steps it is in.
    const waits = this.#running.some(({ sequence }) => sequence.constraint)
    return hasChunks || waits ? Math.min(2, this.#engine.stepsUnderWay) : this.#engine.stepsUnderWay
  }

  get #isExclusiveDue(): boolean {
    const due = this.#exclusive[0]?.turn
    const next = this.#waiting[0]?.turn ?? Number.POSITIVE_INFINITY
    return due !== undefined && this.#running.length === 0 && next > due
  }

  /** Gives back the places of sequences that have ended, and forgets those that ended while they waited. */
  #retire(): void {
    for (const running of this.#running.filter(({ sequence }) => sequence.ended)) this.#close(running)
    const ended = this.#waiting.filter(({ sequence }) => sequence.ended)
    for (const waiting of ended) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      this.#forget(waiting.sequence)
    }
  }

  #close(running: Running, spoiled = false): void {
    this.#running = this.#running.filter((other) => other !== running)
    this.#engine.close(running.slot, spoiled)
    this.#forget(running.sequence)
  }

  #forget(sequence: Sequence): void {
    this.#listening.get(sequence)?.()
    this.#listening.delete(sequence)
  }

  /** The next step, or undefined where nothing can be computed now. */
  #compose(): Step | undefined {
    const started = performance.now()
    const rows = this.#running.filter((running) => this.#canGoOn(running))
    const reserved = rows.filter(({ slot }) => this.#engine.reserve(slot))
    // Answers under way go before prompts where pages are few.
    if (reserved.length < rows.length) this.#makeRoom()
    // Those that were suspended go on at once.
    else reserved.push(...this.#admit().filter((running) => this.#canGoOn(running)))
    const going = reserved.filter(({ yields }) => !yields)
    const chunks = this.#chunks()
    const forced = this.#forced(going)
    const masks = this.#masks(going, chunks)
    const failed = this.#running.filter(({ sequence }) => sequence.ended).map(({ slot }) => slot)
    const rest = going.map(({ slot }) => slot).filter((slot) => !failed.includes(slot))
    const parts = chunks.filter(({ slot }) => !failed.includes(slot))
    this.#counts.schedulingMs += performance.now() - started
    if (rest.length + parts.length === 0) return undefined
    return { rows: rest, chunks: parts, ...(masks && { masks }), ...(forced.size > 0 && { forced }) }
  }

  /** Whether the next id of a sequence can be computed, and somebody can take it. */
  #canGoOn({ slot, sequence, yields, steps }: Running): boolean {
    if (yields || sequence.ended || sequence.wants !== 'answer') return false
    // What may come next depends on what comes before.
    if (sequence.constraint && steps > 0) return false
    return slot.pendingTokens === 0 && !slot.exhausted && sequence.listener.ready?.() !== false
  }

  /** Gives places to those that wait, in order, as long as there is room. @returns who got one, with a page for the next row */
  #admit(): Running[] {
    const admitted: Running[] = []
    const barrier = this.#exclusive[0]?.turn ?? Number.POSITIVE_INFINITY
    while (this.#waiting.length > 0 && this.#waiting[0].turn < barrier) {
      const { sequence, suspended, turn } = this.#waiting[0]
      try {
        const { start } = sequence
        const slot = suspended ? this.#engine.resume(suspended) : this.#engine.open(start)
        if (!slot) {
          if (this.#running.length > 0) return admitted
          throw contextOverflow(start.ids.length, this.#engine.available(start.prefix))
        }
        const running: Running = { sequence, slot, turn, steps: 0, yields: false }
        const at = this.#running.findIndex((other) => other.turn > turn)
        this.#running.splice(at < 0 ? this.#running.length : at, 0, running)
        admitted.push(running)
        if (!suspended) sequence.listener.onStart?.(slot.cachedTokens)
      } catch (error) {
        // What is wrong with one sequence is no concern of others.
        sequence.fail(error)
        this.#forget(sequence)
      }
      this.#waiting.shift()
    }
    return admitted
  }

  /** Chunks of prompts within the budget of a step, the oldest first. */
  #chunks(): Chunk[] {
    const chunks: Chunk[] = []
    let budget = this.#engine.chunkTokens
    for (const { slot, sequence, yields } of this.#running) {
      const count = Math.min(budget, slot.pendingTokens)
      if (count === 0 || yields) continue
      const { wants } = sequence
      chunks.push({ slot, count, ...(wants !== 'answer' && { [wants]: true }) })
      budget -= count
    }
    return chunks
  }

  /** The ids that must come next in constrained sequences, as far as the step has rows and pages for them. */
  #forced(going: readonly Running[]): Map<Slot, readonly number[]> {
    const forced = new Map<Slot, readonly number[]>()
    let room = (this.#engine.mostRows ?? 0) - going.length
    for (const { slot, sequence } of going) {
      if (room <= 0) break
      try {
        const ids = sequence.forcedIds?.(room) ?? []
        if (ids.length === 0 || !this.#engine.reserve(slot, ids.length)) continue
        sequence.force?.(ids)
        forced.set(slot, ids)
        room -= ids.length
      } catch (error) {
        // What is wrong with one sequence is no concern of others.
        sequence.fail(error)
      }
    }
    return forced
  }

  /** The ids that may come next in constrained sequences that a step samples for; undefined where there are none. */
  #masks(going: readonly Running[], chunks: readonly Chunk[]): Step['masks'] {
    const complete = chunks.filter(({ slot, count }) => count === slot.pendingTokens)
    const sampled = [
      ...going,
      ...this.#running.filter(({ slot }) => complete.some((chunk) => chunk.slot === slot)),
    ]
    const masks = new Map<Slot, Uint32Array<ArrayBuffer>>()
    for (const { slot, sequence } of sampled) {
      try {
        if (sequence.constraint && !sequence.ended) masks.set(slot, sequence.constraint.mask())
      } catch (error) {
        // What is wrong with one sequence is no concern of others.
        sequence.fail(error)
      }
    }
    return masks.size > 0 ? masks : undefined
  }

  /** There is no page for the next row of a sequence: the youngest gives its place up, unless one is about to. */
  #makeRoom(): void {
    const youngest = this.#running.at(-1)
    if (this.#running.length > 1 && youngest && !this.#running.some(({ yields }) => yields)) {
      youngest.yields = true
    }
  }

  /** Takes the places of sequences that yield, once none of their steps is under way; they wait for their turn again. */
  async #suspendYielding(): Promise<void> {
    for (const running of this.#running.filter(({ yields, steps }) => yields && steps === 0)) {
      const { sequence, slot, turn } = running
      this.#running = this.#running.filter((other) => other !== running)
      const suspended = await this.#engine.suspend(slot)
      if (this.#ended) return sequence.fail(this.#ended.error)
      const at = this.#waiting.findIndex((other) => other.turn > turn)
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, { sequence, turn, suspended })
      this.#counts.suspensions++
    }
  }

  async #submit(step: Step): Promise<void> {
    try {
      await this.#engine.prepare(step)
    } catch (error) {
      // A kernel that does not compile ends what needs it.
      const slots = [...step.rows, ...step.chunks.map(({ slot }) => slot)]
      for (const { slot, sequence } of this.#running) if (slots.includes(slot)) sequence.fail(error)
      return
    }
    const bySlot = new Map(this.#running.map((running) => [running.slot, running]))
    const of = (slot: Slot) => bySlot.get(slot) as Running
    const rows = step.rows.map(of)
    const chunks = step.chunks.map(({ slot }) => of(slot))
    const output = this.#engine.run(step)
    // Awaited in their turn, but an error may come earlier than that.
    for (const part of [output.rows, output.chunks]) part.catch(() => {})
    for (const running of [...rows, ...chunks]) running.steps++
    this.#underWay.push({ rows, chunks, output })
    this.#counts.steps++
    this.#begin(step)
  }

  /** Begins the next step where it will have the same rows, and waits for what these give. */
  #begin({ rows, chunks }: Step): void {
    const isNext = ({ sequence, slot, yields }: Running) =>
      sequence.constraint !== undefined && !yields && rows.includes(slot) && !slot.exhausted
    if (chunks.length > 0 || this.#waiting.length > 0 || rows.length === 0) return
    if (!this.#running.every(isNext) || !rows.every((slot) => this.#engine.reserve(slot))) return
    this.#engine.begin?.(rows)
  }

  /** Waits for the oldest step under way, and tells its sequences what they got: answers before the chunks are computed. */
  async #settle(): Promise<void> {
    const { rows, chunks, output } = this.#underWay[0]
    const ids = await output.rows
    this.#tell(rows, (running, i) => {
      running.sequence.accept(ids[i])
      return ids[i].notFinite
    })
    const ofChunks = await output.chunks
    this.#tell(chunks, (running, i) => {
      running.sequence.acceptChunk(ofChunks[i])
      return ofChunks[i].sampled?.notFinite === true
    })
    this.#underWay.shift()
  }

  /** Tells sequences what a step gave them. @param accept tells one, and says whether it is no number */
  #tell(all: readonly Running[], accept: (running: Running, index: number) => boolean): void {
    const started = performance.now()
    all.forEach((running, i) => {
      running.steps--
      if (accept(running, i)) this.#spoil(running)
    })
    this.#counts.schedulingMs += performance.now() - started
  }

  /** What a sequence computed is no number: nobody may find it in the cache. */
  #spoil(running: Running): void {
    if (this.#running.some((other) => other === running)) this.#close(running, true)
  }

  #sleep(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }
}
