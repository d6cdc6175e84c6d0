import type { TrainingSample } from '../../data/index.js'
import type { ModelConfig } from '../../runtime/model/index.js'
import { accumulateOneByOne } from '../engine/accumulate-batch.js'
import type {
  AccumulateOptions,
  BatchOptions,
  ParameterState,
  PrefixTrainingEngine,
  PrefixTrainingOptions,
  SampleLoss,
  UpdateOptions,
} from '../engine/training-engine.js'
import { randomAt } from '../random.js'

export const FAKE_MODEL: ModelConfig = {
  layers: 2,
  hidden: 8,
  ffn: 8,
  heads: 2,
  kvGroups: 1,
  headDim: 4,
  vocabulary: 3008,
  maxContextLength: 256,
  ropeBase: 10_000,
  epsilon: 1e-5,
  qkvBias: true,
}

const NAME = 'transformer.prefix_encoder.embedding.weight'

/**
 * A training without a model, on the CPU: every target pulls one number of the prefix towards a value of its own. What
 * it is asked is written down.
 */
export class FakeTraining implements PrefixTrainingEngine {
  readonly memory = [{ purpose: 'activations', bytes: 1024 }]
  readonly accumulated: { sample: TrainingSample; options: AccumulateOptions }[] = []
  readonly updates: UpdateOptions[] = []
  disposed = false
  /** Called before each update with its number; what it throws ends the training. */
  beforeUpdate: (step: number) => void = () => {}
  /** Added to every loss of an evaluation, in turn; the last one for good. */
  penalties: number[] = [0]
  readonly #shape: readonly [number, number]
  #state: ParameterState
  #gradient: Float64Array

  constructor({ prefixLength, seed }: PrefixTrainingOptions, { layers, kvGroups, headDim } = FAKE_MODEL) {
    const width = 2 * layers * kvGroups * headDim
    const size = prefixLength * width
    this.#shape = [prefixLength, width]
    this.#gradient = new Float64Array(size)
    this.#state = {
      shape: this.#shape,
      parameter: Float32Array.from({ length: size }, (_, index) => randomAt(seed, index) / 2 ** 31 - 1),
      firstMoment: new Float32Array(size),
      secondMoment: new Float32Array(size),
    }
  }

  accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss> {
    return accumulateOneByOne(this, batch, options)
  }

  async accumulate(sample: TrainingSample, options: AccumulateOptions): Promise<SampleLoss> {
    // What a step costs on a GPU is at least a turn of the event loop.
    await new Promise(setImmediate)
    options.signal?.throwIfAborted()
    this.accumulated.push({ sample, options })
    return this.#loss(sample, (index, difference, targets) => {
      const dropped = options.dropoutSeed !== undefined && randomAt(options.dropoutSeed, index) % 10 === 0
      if (!dropped) this.#gradient[index] += (options.gradientScale * 2 * difference) / targets
    })
  }

  async evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    signal?.throwIfAborted()
    const penalty = this.penalties.length > 1 ? this.penalties.shift()! : this.penalties[0]
    const { loss, targets } = this.#loss(sample, () => {})
    return { loss: loss + penalty, targets }
  }

  #loss(
    { labels }: TrainingSample,
    each: (index: number, difference: number, targets: number) => void,
  ): SampleLoss {
    const targets = labels.slice(1).filter((label) => label !== -100)
    const { parameter } = this.#state
    let loss = 0
    for (const label of targets) {
      const index = label % parameter.length
      const difference = parameter[index] - Math.sin(label)
      loss += difference ** 2 / targets.length
      each(index, difference, targets.length)
    }
    return { loss, targets: targets.length }
  }

  async update(options: UpdateOptions): Promise<{ gradientNorm: number }> {
    const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradientNorm, step } = options
    this.beforeUpdate(step)
    this.updates.push(options)
    const gradientNorm = Math.hypot(...this.#gradient)
    const clip = maxGradientNorm === undefined ? 1 : Math.min(1, maxGradientNorm / (gradientNorm + 1e-6))
    const { parameter, firstMoment, secondMoment } = this.#state
    for (const [index, value] of this.#gradient.entries()) {
      const gradient = value * clip
      firstMoment[index] = beta1 * firstMoment[index] + (1 - beta1) * gradient
      secondMoment[index] = beta2 * secondMoment[index] + (1 - beta2) * gradient ** 2
      const first = firstMoment[index] / (1 - beta1 ** step)
      const second = secondMoment[index] / (1 - beta2 ** step)
      parameter[index] -=
        learningRate * (first / (Math.sqrt(second) + epsilon) + weightDecay * parameter[index])
    }
    this.#gradient.fill(0)
    return { gradientNorm }
  }

  async readGradients(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    return new Map([[NAME, Float32Array.from(this.#gradient)]])
  }

  async readPrefixRows(): Promise<Float32Array<ArrayBuffer>> {
    return this.#state.parameter.slice()
  }

  async readSums(): Promise<readonly Float32Array<ArrayBuffer>[]> {
    return [Float32Array.from(this.#gradient)]
  }

  writeSums([gradient]: readonly Float32Array<ArrayBuffer>[]): void {
    this.#gradient.set(gradient)
  }

  async readTrained(): Promise<readonly Float32Array<ArrayBuffer>[]> {
    return [this.#state.parameter.slice()]
  }

  writeTrained([parameter]: readonly Float32Array<ArrayBuffer>[]): void {
    this.#state.parameter.set(parameter)
    this.#gradient.fill(0)
  }

  async readState(): Promise<Map<string, ParameterState>> {
    return new Map([[NAME, structuredClone(this.#state)]])
  }

  writeState(state: ReadonlyMap<string, ParameterState>): void {
    this.#state = structuredClone(state.get(NAME)!)
    this.#gradient.fill(0)
  }

  dispose(): void {
    this.disposed = true
  }
}
