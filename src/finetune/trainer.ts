import type { TrainingDataset } from '../data/index.js'
import { hasCode, TrainingError } from '../errors/index.js'
import type { CheckpointStore } from './checkpoint-store.js'
import type { TrainingEngine } from './engine/training-engine.js'
import { learningRateAt } from './learning-rate.js'
import { randomAt } from './random.js'
import { SampleOrder } from './sample-order.js'
import type { OptimizationSettings } from './settings.js'
import { checkpointName, type TrainingPosition, trainerState } from './trainer-state.js'
import type { StopReason, TrainingEvent } from './training-event.js'

/** What the course of a training depends on; only a prefix has dropout. */
export type TrainerSettings = OptimizationSettings & { readonly dropout?: number }

export interface TrainerOptions {
  readonly settings: TrainerSettings
  /** Held-out data. */
  readonly evaluation?: TrainingDataset
  readonly store: CheckpointStore
  /** `config.json` of the checkpoints. */
  readonly config: object
  readonly signal?: AbortSignal
  readonly onProgress?: (event: TrainingEvent) => void
}

/** Micro-batches that are under way at once on a GPU. */
const AHEAD = 2

/** What a GPU, or the process on it, is gone with. */
const LOSSES = ['device.lost', 'device.failed', 'device.worker-failed'] as const

interface BatchLoss {
  /** Mean over the targets. */
  readonly loss: number
  readonly tokens: number
}

/**
 * The loop of a training, over an engine whose parameters belong to `position`. It follows Hugging Face's Trainer: the
 * loss of a micro-batch is the mean over its targets, a step's gradient the mean over its micro-batches.
 */
export class Trainer {
  readonly #engine: TrainingEngine
  readonly #dataset: TrainingDataset
  readonly #options: TrainerOptions
  readonly #settings: TrainerSettings
  readonly #order: SampleOrder
  #position: TrainingPosition
  /** What the last checkpoint holds. */
  #saved: TrainingPosition

  constructor(
    engine: TrainingEngine,
    dataset: TrainingDataset,
    options: TrainerOptions,
    position: TrainingPosition,
  ) {
    this.#engine = engine
    this.#dataset = dataset
    this.#options = options
    this.#settings = options.settings
    this.#order = new SampleOrder(dataset.length, options.settings.batchSize, options.settings.seed)
    this.#position = position
    this.#saved = position
  }

  get position(): TrainingPosition {
    return this.#position
  }

  /**
   * Trains to the end, saving checkpoints on the way. When the signal is aborted the steps taken so far are saved,
   * and its reason is thrown.
   * @throws `training.stopped` where the training cannot go on
   */
  async run(): Promise<StopReason> {
    const { signal } = this.#options
    try {
      const reason = await this.#train()
      await this.#save()
      return reason
    } catch (error) {
      if (!signal?.aborted) {
        // Where one of several GPUs is gone, the steps taken are still there.
        if (this.#engine.lanes !== undefined && hasCode(error, ...LOSSES)) await this.#save().catch(() => {})
        throw this.#stopped(error)
      }
      try {
        await this.#save()
      } catch (failure) {
        throw this.#stopped(failure)
      }
      throw signal.reason
    }
  }

  async #train(): Promise<StopReason> {
    const { maxSteps, saveInterval, earlyStopping } = this.#settings
    const { evaluation, signal } = this.#options
    for (;;) {
      // First in the loop, as the training may have been interrupted while it evaluated.
      if (evaluation && this.#isEvaluationDue) await this.#evaluate(evaluation)
      const { step, evaluationsSinceBest } = this.#position
      if (step % saveInterval === 0 || this.#publishedStep === step) await this.#save()
      if (step === maxSteps) return 'completed'
      if (earlyStopping > 0 && evaluationsSinceBest >= earlyStopping) return 'early-stopping'
      signal?.throwIfAborted()
      await this.#stepOrAgain()
    }
  }

  get #isEvaluationDue(): boolean {
    const { step, log } = this.#position
    const { maxSteps, evaluationInterval } = this.#settings
    if (step === 0 || (step !== maxSteps && step % evaluationInterval !== 0)) return false
    return log.findLast((entry) => 'eval_loss' in entry)?.step !== step
  }

  /** The step whose prefix is the result: the best one where the training may end early, else the last one. */
  get #publishedStep(): number | undefined {
    return this.#settings.earlyStopping > 0 ? this.#position.best?.step : undefined
  }

  /** A step, once more where the engine gets over what it failed with. */
  async #stepOrAgain(): Promise<void> {
    for (;;) {
      try {
        return await this.#step()
      } catch (error) {
        if (!(await this.#engine.recover?.(error))) throw error
        const why = error instanceof Error ? error.message : String(error)
        this.#report({ type: 'recovered', step: this.#position.step + 1, why })
      }
    }
  }

  async #step(): Promise<void> {
    const { accumulationSteps, beta1, beta2, epsilon, weightDecay, maxGradientNorm, maxSteps, logInterval } =
      this.#settings
    const started = performance.now()
    const { step } = this.#position
    let loss = 0
    let tokens = 0
    const underWay: Promise<BatchLoss>[] = []
    const ahead = AHEAD * (this.#engine.lanes ?? 1)
    for (let batch = 0; batch < accumulationSteps; batch++) {
      // One is given out ahead, so that the GPU does not wait while a loss is read.
      while (underWay.length < ahead && batch + underWay.length < accumulationSteps) {
        const next = this.#accumulate(step * accumulationSteps + batch + underWay.length)
        // Where one fails, nobody waits for those behind it.
        next.catch(() => {})
        underWay.push(next)
      }
      const done = await underWay.shift()!
      loss += done.loss / accumulationSteps
      tokens += done.tokens
      this.#report({ type: 'batch', step: step + 1, batch: batch + 1, batches: accumulationSteps })
    }
    const learningRate = learningRateAt(this.#settings, step)
    // A step that is begun is ended: half of one could not be saved.
    const { gradientNorm } = await this.#engine.update({
      ...{ learningRate, beta1, beta2, epsilon, weightDecay, step: step + 1 },
      maxGradientNorm: maxGradientNorm === 0 ? undefined : maxGradientNorm,
    })
    const { unlogged, tokens: tokensBefore } = this.#position
    const all = { loss: unlogged.loss + loss, steps: unlogged.steps + 1 }
    this.#position = { ...this.#position, step: step + 1, tokens: tokensBefore + tokens, unlogged: all }
    if ((step + 1) % logInterval === 0 || step + 1 === maxSteps) this.#log(gradientNorm)
    const seconds = (performance.now() - started) / 1000
    const epoch = this.#epoch
    this.#report({
      type: 'step',
      step: step + 1,
      maxSteps,
      epoch,
      loss,
      learningRate,
      gradientNorm,
      tokens,
      seconds,
    })
  }

  /** Adds the gradient of a micro-batch, which is given by its number since the beginning. */
  async #accumulate(index: number): Promise<BatchLoss> {
    const { accumulationSteps, dropout = 0, seed } = this.#settings
    const { signal } = this.#options
    const samples = this.#order.batch(index).map((sample) => this.#dataset.sample(sample))
    const { loss } = await this.#engine.accumulateBatch(samples, {
      gradientScale: 1 / accumulationSteps,
      dropoutSeeds: dropout > 0 ? samples.map((_, place) => randomAt(seed, index, place)) : undefined,
      ...(signal && { signal }),
    })
    return { loss, tokens: samples.reduce((sum, { ids }) => sum + ids.length, 0) }
  }

  async #evaluate(evaluation: TrainingDataset): Promise<void> {
    const { signal } = this.#options
    let sum = 0
    let targets = 0
    for (let index = 0; index < evaluation.length; index++) {
      const one = await this.#engine.evaluate(evaluation.sample(index), signal)
      sum += one.loss * one.targets
      targets += one.targets
      this.#report({ type: 'evaluating', done: index + 1, samples: evaluation.length })
    }
    const loss = sum / targets
    const { step, best, log, evaluationsSinceBest } = this.#position
    const better = best === null || loss < best.loss
    this.#position = {
      ...this.#position,
      log: [...log, { eval_loss: loss, epoch: this.#epoch, step }],
      best: better ? { loss, step } : best,
      evaluationsSinceBest: better ? 0 : evaluationsSinceBest + 1,
    }
    this.#report({ type: 'evaluation', step, loss, perplexity: Math.exp(loss), best: better })
  }

  get #epoch(): number {
    return (this.#position.step * this.#settings.accumulationSteps) / this.#order.batchesPerEpoch
  }

  #log(gradientNorm: number): void {
    const { unlogged, log, step } = this.#position
    const entry = {
      loss: unlogged.loss / unlogged.steps,
      grad_norm: gradientNorm,
      learning_rate: learningRateAt(this.#settings, step),
      epoch: this.#epoch,
      step,
    }
    this.#position = { ...this.#position, log: [...log, entry], unlogged: { loss: 0, steps: 0 } }
  }

  /** Saves what was done since the last checkpoint. */
  async #save(): Promise<void> {
    const position = this.#position
    if (position === this.#saved) return
    const { step } = position
    const { store, config } = this.#options
    const state = await this.#engine.readState()
    await store.save(
      { position, state },
      { config, trainerState: trainerState(position, this.#settings, this.#order.batchesPerEpoch) },
      this.#publishedStep ?? step,
    )
    this.#saved = position
    this.#report({ type: 'checkpoint', step, name: checkpointName(step) })
  }

  #stopped(error: unknown): TrainingError {
    const { step } = this.#position
    const { latest } = this.#options.store
    const why = error instanceof Error ? error.message : String(error)
    // The same settings would diverge again.
    const canResume = !hasCode(error, 'training.diverged')
    const kept = latest
      ? `${latest} is complete${canResume ? ': resume from there' : ''}.`
      : 'There is no checkpoint yet.'
    return new TrainingError(
      'training.stopped',
      `The training stopped after ${step} of ${this.#settings.maxSteps} steps: ${why} ${kept}`,
      { cause: error, details: { step, checkpoint: latest } },
    )
  }

  #report(event: TrainingEvent): void {
    this.#options.onProgress?.(event)
  }
}
