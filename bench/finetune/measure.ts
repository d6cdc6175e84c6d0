import {
  LoraTraining,
  type ModelBase,
  type PlannedMemory,
  PrefixTraining,
  type ProductRole,
} from '../common/internals.js'
import { randomIds } from '../common/random.js'
import type { Summary } from '../common/statistics.js'
import { type MeasureOptions, repeat, warmUp } from '../model/measure.js'

/** What a training step is measured with. */
export interface StepChoice {
  readonly tokens: number
  /** Sequences whose gradients are added up for an update. */
  readonly sequences: number
  readonly prefixLength: number
  readonly projection: boolean
  /** Trains LoRA instead of a prefix: the rank, and the matrices. */
  readonly lora?: { readonly rank: number; readonly roles: readonly ProductRole[] }
  readonly dropout: number
  readonly seed: number
}

/** The time of an update with its sequences. */
export interface StepResult extends StepChoice {
  /** Tokens of each sequence that are predicted: all but the first. */
  readonly targets: number
  readonly seconds: Summary
  /** Of the first sequence of the last update, and the norm of that update. */
  readonly loss: number
  readonly gradientNorm: number
  /** Compiling and allocating. */
  readonly prepareSeconds: number
  /** Bytes on the GPU, by purpose: those of the model and those of the training. */
  readonly memory: Readonly<Record<string, number>>
  readonly plan: readonly PlannedMemory[]
}

/** The training did not learn anything that makes sense, so its time means nothing. */
export class WrongTrainingError extends Error {
  override readonly name = 'WrongTrainingError'
}

const ADAMW = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: 1,
}

/** A training over random sequences of one length. */
/** A training whose passes can be profiled. */
export type ProfiledTraining = PrefixTraining | LoraTraining

export class RandomTraining {
  readonly training: ProfiledTraining
  readonly #choice: StepChoice
  readonly #vocabulary: number
  #step = 0
  #sequence = 0
  loss = Number.NaN
  gradientNorm = Number.NaN

  constructor(training: ProfiledTraining, choice: StepChoice, vocabulary: number) {
    this.training = training
    this.#choice = choice
    this.#vocabulary = vocabulary
  }

  /** One update over its sequences; waits for it. @returns seconds */
  async update(sequences = this.#choice.sequences): Promise<number> {
    const started = performance.now()
    const losses = Array.from({ length: sequences }, () => {
      const dropoutSeed = this.#sequence++
      const ids = randomIds(this.#choice.tokens, this.#vocabulary, this.#choice.seed + dropoutSeed)
      const dropoutSeeds = this.#choice.dropout > 0 ? [dropoutSeed] : undefined
      return this.training.accumulateBatch([{ ids, labels: ids }], {
        gradientScale: 1 / sequences,
        dropoutSeeds,
      })
    })
    this.#step++
    const { gradientNorm } = await this.training.update({ ...ADAMW, step: this.#step })
    this.gradientNorm = gradientNorm
    this.loss = (await Promise.all(losses))[0].loss
    return (performance.now() - started) / 1000
  }

  /** @throws WrongTrainingError unless losses are about those of guessing, and gradients reach what is trained */
  check(): void {
    const guessing = Math.log(this.#vocabulary)
    if (!(this.loss > guessing / 2 && this.loss < guessing * 4)) {
      throw new WrongTrainingError(`The loss is ${this.loss}; guessing has ${guessing}.`)
    }
    if (!(this.gradientNorm > 0)) throw new WrongTrainingError(`The gradient's norm is ${this.gradientNorm}.`)
  }
}

/**
 * Sets a training up, times its updates, and hands it to `inspect` before it is disposed of.
 */
export async function measureStep(
  base: ModelBase,
  choice: StepChoice,
  options: MeasureOptions,
  inspect: (training: ProfiledTraining) => Promise<void>,
): Promise<StepResult> {
  const { tokens, prefixLength, projection, seed, lora, dropout } = choice
  const common = { maxSequenceLength: tokens, dropout, seed }
  const started = performance.now()
  const training: ProfiledTraining = lora
    ? await LoraTraining.create(base, { ...common, ...lora, scale: 4 })
    : await PrefixTraining.create(base, { ...common, prefixLength, projection })
  await base.gpu.finish()
  const prepareSeconds = (performance.now() - started) / 1000
  const memory = { ...base.gpu.memory, total: base.gpu.total }
  const random = new RandomTraining(training, choice, base.config.vocabulary)
  try {
    await warmUp(options, () => random.update(1))
    const seconds = await repeat(options, () => random.update())
    random.check()
    await inspect(training)
    return {
      ...choice,
      targets: tokens - 1,
      seconds,
      loss: random.loss,
      gradientNorm: random.gradientNorm,
      prepareSeconds,
      memory,
      plan: training.memory,
    }
  } finally {
    training.dispose()
  }
}
