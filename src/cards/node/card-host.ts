import { type Answer, type CallId, ModelHost } from '../../browser/index.js'
import type { TrainingSample } from '../../data/index.js'
import { disposed } from '../../errors/index.js'
import {
  type BatchOptions,
  createPrefixTraining,
  EngineWorker,
  type ParameterState,
  type PlannedMemory,
  type PrefixTrainingOptions,
  type SampleLoss,
  type UpdateOptions,
} from '../../finetune/index.js'
import { requestAdapterNamed } from '../../gpu/index.js'

type Load = Parameters<ModelHost['load']>
type Floats = readonly Float32Array<ArrayBuffer>[]

/** A model in a process of its own, on the one card that the process is for, and its part of a training. */
export class CardHost extends ModelHost {
  #worker: EngineWorker | undefined

  /** @param adapterName what Dawn calls the card, where the process sees others too */
  async loadOn(
    adapterName: string | undefined,
    id: Load[0],
    source: Load[1],
    options: Load[2],
    onProgress: Load[3],
  ): ReturnType<ModelHost['load']> {
    if (adapterName === undefined) return this.load(id, source, options, onProgress)
    const adapter = await this.answer(() => requestAdapterNamed(adapterName))
    if ('failure' in adapter) return adapter
    return this.load(id, source, { ...options, device: adapter.value }, onProgress)
  }

  /** Sets up a training, in the place of one before it. */
  async beginTraining(options: PrefixTrainingOptions): Promise<Answer<readonly PlannedMemory[]>> {
    return this.answer(async () => {
      this.#worker?.dispose()
      this.#worker = undefined
      this.#worker = new EngineWorker(await createPrefixTraining(this.loaded.base, options))
      return this.#worker.memory
    })
  }

  async accumulateBatch(
    id: CallId,
    batch: readonly TrainingSample[],
    options: Omit<BatchOptions, 'signal'>,
  ): Promise<Answer<SampleLoss>> {
    return this.call(id, (signal) => this.#training.accumulateBatch(batch, { ...options, signal }))
  }

  async evaluateSample(id: CallId, sample: TrainingSample): Promise<Answer<SampleLoss>> {
    return this.call(id, (signal) => this.#training.evaluate(sample, signal))
  }

  async readSums(): Promise<Answer<Floats>> {
    return this.answer(() => this.#training.readSums())
  }

  async updateWith(
    sums: Floats,
    options: UpdateOptions,
  ): Promise<Answer<{ gradientNorm: number; trained: Floats }>> {
    return this.answer(() => this.#training.updateWith(sums, options))
  }

  async writeTrained(trained: Floats): Promise<Answer<void>> {
    return this.answer(() => this.#training.writeTrained(trained))
  }

  async readState(): Promise<Answer<Map<string, ParameterState>>> {
    return this.answer(() => this.#training.readState())
  }

  async writeState(state: ReadonlyMap<string, ParameterState>): Promise<Answer<Floats>> {
    return this.answer(() => this.#training.writeState(state))
  }

  async endTraining(): Promise<Answer<void>> {
    return this.answer(() => {
      this.#worker?.dispose()
      this.#worker = undefined
    })
  }

  get #training(): EngineWorker {
    if (!this.#worker) throw disposed('training')
    return this.#worker
  }
}
