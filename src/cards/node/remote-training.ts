import type { ModelLine } from '../../browser/index.js'
import type { TrainingSample } from '../../data/index.js'
import type {
  BatchOptions,
  ParameterState,
  PlannedMemory,
  PrefixTrainingOptions,
  SampleLoss,
  TrainingWorker,
  UpdateOptions,
} from '../../finetune/index.js'
import type { CardHost } from './card-host.js'

type Floats = readonly Float32Array<ArrayBuffer>[]
type Line = ModelLine<CardHost>

/** A training in the process of a card, as one of several workers. */
export class RemoteTraining implements TrainingWorker {
  readonly memory: readonly PlannedMemory[]
  readonly #line: Line

  private constructor(line: Line, memory: readonly PlannedMemory[]) {
    this.#line = line
    this.memory = memory
  }

  static async begin(line: Line, options: PrefixTrainingOptions): Promise<RemoteTraining> {
    return new RemoteTraining(line, await line.value((host) => host.beginTraining(options)))
  }

  accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss> {
    const { signal, ...rest } = options
    return this.#line.call(signal, (host, id) => host.accumulateBatch(id, batch, rest))
  }

  evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    return this.#line.call(signal, (host, id) => host.evaluateSample(id, sample))
  }

  readSums(): Promise<Floats> {
    return this.#line.value((host) => host.readSums())
  }

  updateWith(sums: Floats, options: UpdateOptions): Promise<{ gradientNorm: number; trained: Floats }> {
    return this.#line.value((host) => host.updateWith(sums, options))
  }

  writeTrained(trained: Floats): Promise<void> {
    return this.#line.value((host) => host.writeTrained(trained))
  }

  readState(): Promise<Map<string, ParameterState>> {
    return this.#line.value((host) => host.readState())
  }

  writeState(state: ReadonlyMap<string, ParameterState>): Promise<Floats> {
    return this.#line.value((host) => host.writeState(state))
  }

  dispose(): void {
    this.#line.tell((host) => host.endTraining())
  }
}
