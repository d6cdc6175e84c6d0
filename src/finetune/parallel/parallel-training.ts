import type { TrainingSample } from '../../data/index.js'
import { hasCode } from '../../errors/index.js'
import { countTargets } from '../engine/accumulate-batch.js'
import type {
  BatchOptions,
  ParameterState,
  PlannedMemory,
  SampleLoss,
  TrainingEngine,
  UpdateOptions,
} from '../engine/training-engine.js'
import type { TrainingWorker } from './training-worker.js'

export interface ParallelOptions {
  /** Micro-batches of a step. */
  readonly accumulationSteps: number
  /** Whether the training goes on with the rest where a worker is lost. Then the optimizer's state is kept here, too. */
  readonly continueOnLoss: boolean
}

/** What a worker is gone with. */
const GONE = ['device.lost', 'device.failed', 'device.worker-failed', 'device.disposed'] as const

type Floats = readonly Float32Array<ArrayBuffer>[]

/** What one worker does of a micro-batch. */
interface Share {
  readonly worker: TrainingWorker
  readonly batch: readonly TrainingSample[]
  /** The part of the micro-batch's targets that are in it. */
  readonly weight: number
  readonly dropoutSeeds: readonly number[] | undefined
}

/**
 * Data-parallel training: each worker works on its share of a step, the sums of their gradients are added up here in the order
 * of the workers, the first one takes the optimizer's step, and the others get what came out. Results are those of one engine up to
 * the order of sums, and the same each time for the same number of workers.
 */
export class ParallelTraining implements TrainingEngine {
  readonly #workers: TrainingWorker[]
  readonly #options: ParallelOptions
  readonly #lost = new Set<TrainingWorker>()
  readonly #underWay = new Set<Promise<unknown>>()
  /** Micro-batches of the step that were given out. */
  #given = 0
  #state: ReadonlyMap<string, ParameterState> | undefined

  /** @param workers with the same parameters; the first one keeps the optimizer's state */
  constructor(workers: readonly TrainingWorker[], options: ParallelOptions) {
    this.#workers = [...workers]
    this.#options = options
  }

  get lanes(): number {
    return this.#workers.length
  }

  /** On each GPU. */
  get memory(): readonly PlannedMemory[] {
    return this.#workers[0].memory
  }

  async accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss> {
    const shares = this.#shares(batch, options)
    const losses = await Promise.all(
      shares.map(async ({ worker, batch, weight, dropoutSeeds }) => {
        const gradientScale = weight * options.gradientScale
        const own = { ...options, gradientScale, dropoutSeeds }
        const { loss, targets } = await this.#ask(worker, () => worker.accumulateBatch(batch, own))
        return { loss: weight * loss, targets }
      }),
    )
    return {
      loss: losses.reduce((sum, { loss }) => sum + loss, 0),
      targets: losses.reduce((sum, { targets }) => sum + targets, 0),
    }
  }

  evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    const [worker] = this.#workers
    return this.#ask(worker, () => worker.evaluate(sample, signal))
  }

  async update(options: UpdateOptions): Promise<{ readonly gradientNorm: number }> {
    const [first, ...others] = this.#workers
    const sums = await Promise.all(this.#workers.map((worker) => this.#ask(worker, () => worker.readSums())))
    const { gradientNorm, trained } = await this.#ask(first, () => first.updateWith(added(sums), options))
    // From here on the step is taken: a worker that is lost now is missed in the next one.
    const sharing = others.map((worker) => this.#ask(worker, () => worker.writeTrained(trained)))
    await Promise.allSettled(sharing)
    if (this.#options.continueOnLoss) this.#state = await this.#ask(first, () => first.readState())
    this.#given = 0
    return { gradientNorm }
  }

  async readGradients(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    throw new Error('Gradients of several workers are added up in an update only.')
  }

  readState(): Promise<Map<string, ParameterState>> {
    const [first] = this.#workers
    return this.#ask(first, () => first.readState())
  }

  async writeState(state: ReadonlyMap<string, ParameterState>): Promise<void> {
    const [first, ...others] = this.#workers
    const trained = await this.#ask(first, () => first.writeState(state))
    await Promise.all(others.map((worker) => this.#ask(worker, () => worker.writeTrained(trained))))
    this.#state = state
  }

  /** Goes on without the workers that are lost, if that was asked for and some are left. */
  async recover(error: unknown): Promise<boolean> {
    if (!this.#options.continueOnLoss || !hasCode(error, ...GONE)) return false
    // Nothing of the step that failed may be added later.
    await Promise.allSettled(this.#underWay)
    for (const worker of this.#lost) {
      const at = this.#workers.indexOf(worker)
      if (at >= 0) this.#workers.splice(at, 1)
      worker.dispose()
    }
    if (this.#lost.size === 0 || this.#workers.length === 0) return false
    this.#lost.clear()
    this.#given = 0
    // Before the first update nothing was kept, and the parameters are still those that all began with.
    await this.writeState(this.#state ?? (await this.readState()))
    return true
  }

  dispose(): void {
    for (const worker of this.#workers) worker.dispose()
  }

  /** Whole micro-batches in turn where all get the same number of them, else a part of the samples for each. */
  #shares(batch: readonly TrainingSample[], { dropoutSeeds }: BatchOptions): Share[] {
    const count = this.#workers.length
    const inTurn = this.#options.accumulationSteps % count === 0 || batch.length < count
    if (inTurn) return [{ worker: this.#workers[this.#given++ % count], batch, weight: 1, dropoutSeeds }]
    const targets = batch.map(countTargets)
    const all = targets.reduce((sum, one) => sum + one, 0)
    return this.#workers.map((worker, index) => {
      const [begin, end] = [index, index + 1].map((at) => Math.floor((at * batch.length) / count))
      const own = targets.slice(begin, end).reduce((sum, one) => sum + one, 0)
      return {
        worker,
        batch: batch.slice(begin, end),
        weight: own / all,
        dropoutSeeds: dropoutSeeds?.slice(begin, end),
      }
    })
  }

  /** Asks a worker, and notes where it is gone. */
  async #ask<T>(worker: TrainingWorker, question: () => Promise<T>): Promise<T> {
    const answer = question()
    this.#underWay.add(answer)
    try {
      return await answer
    } catch (error) {
      if (hasCode(error, ...GONE)) this.#lost.add(worker)
      throw error
    } finally {
      this.#underWay.delete(answer)
    }
  }
}

/** Sums of several workers, element by element, in the order of the workers. The first one's become the result. */
function added([first, ...others]: readonly Floats[]): Floats {
  for (const other of others) {
    for (const [at, sums] of first.entries()) {
      const more = other[at]
      for (let i = 0; i < sums.length; i++) sums[i] += more[i]
    }
  }
  return first
}
