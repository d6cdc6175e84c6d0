import type { TrainingSample } from '../../data/index.js'
import type {
  BatchOptions,
  ParameterState,
  PlannedMemory,
  SampleLoss,
  SharedTrainingEngine,
  UpdateOptions,
} from '../engine/training-engine.js'

type Floats = readonly Float32Array<ArrayBuffer>[]

/** An engine that trains together with others, here or in another process: see `SharedTrainingEngine`. */
export interface TrainingWorker {
  readonly memory: readonly PlannedMemory[]
  accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss>
  evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss>
  readSums(): Promise<Floats>
  /** An update with the sums of all. @returns what it trained, too */
  updateWith(
    sums: Floats,
    options: UpdateOptions,
  ): Promise<{ readonly gradientNorm: number; readonly trained: Floats }>
  writeTrained(trained: Floats): Promise<void>
  readState(): Promise<Map<string, ParameterState>>
  /** @returns what is trained by then */
  writeState(state: ReadonlyMap<string, ParameterState>): Promise<Floats>
  dispose(): void
}

/** An engine of this process as a worker. */
export class EngineWorker implements TrainingWorker {
  readonly #engine: SharedTrainingEngine

  constructor(engine: SharedTrainingEngine) {
    this.#engine = engine
  }

  get memory(): readonly PlannedMemory[] {
    return this.#engine.memory
  }

  accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss> {
    return this.#engine.accumulateBatch(batch, options)
  }

  evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    return this.#engine.evaluate(sample, signal)
  }

  readSums(): Promise<Floats> {
    return this.#engine.readSums()
  }

  async updateWith(sums: Floats, options: UpdateOptions) {
    this.#engine.writeSums(sums)
    const { gradientNorm } = await this.#engine.update(options)
    return { gradientNorm, trained: await this.#engine.readTrained() }
  }

  async writeTrained(trained: Floats): Promise<void> {
    this.#engine.writeTrained(trained)
  }

  readState(): Promise<Map<string, ParameterState>> {
    return this.#engine.readState()
  }

  async writeState(state: ReadonlyMap<string, ParameterState>): Promise<Floats> {
    this.#engine.writeState(state)
    return this.#engine.readTrained()
  }

  dispose(): void {
    this.#engine.dispose()
  }
}
