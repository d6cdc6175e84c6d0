import type { TrainingSample } from '../../data/index.js'
import { type Command, type SequenceSize, submitCommands } from './commands.js'
import type { StepContext } from './layer.js'
import type { CheckedSample } from './pack-samples.js'
import { targetsOf } from './sample.js'
import { readLoss, writeSequences } from './sequence-input.js'
import type { StepPlan } from './step-plan.js'
import type { SampleLoss } from './training-engine.js'

/** Takes samples through the model, and the gradient of the sum of their losses back, whatever is trained. */
export class SequencePass {
  readonly #context: StepContext
  readonly #plan: StepPlan
  readonly #maxSequenceLength: number

  constructor(context: StepContext, plan: StepPlan, maxSequenceLength: number) {
    this.#context = context
    this.#plan = plan
    this.#maxSequenceLength = maxSequenceLength
  }

  /** @throws `training.sample-invalid` for ids or labels that cannot be used, the signal's reason */
  check(sample: TrainingSample, signal?: AbortSignal): CheckedSample {
    signal?.throwIfAborted()
    const targets = targetsOf(sample, this.#context.base.config.vocabulary, this.#maxSequenceLength)
    return { ids: sample.ids, targets }
  }

  /**
   * There and back. The gradient of the sum of the losses comes down through the layers, where products in f16 can still
   * tell it from zero; that of their mean is only formed where it reaches what is trained.
   * @param distinct different tokens in the samples, where the embedding is trained
   */
  accumulate(samples: readonly CheckedSample[], distinct = 0): Promise<SampleLoss> {
    const { forward, lossAndGradient, backward } = this.#plan
    return this.#run(samples, [...forward, lossAndGradient, ...backward], distinct)
  }

  /** There alone. */
  evaluate(samples: readonly CheckedSample[]): Promise<SampleLoss> {
    return this.#run(samples, [...this.#plan.forward, this.#plan.loss], 0)
  }

  #run(
    samples: readonly CheckedSample[],
    parts: readonly (readonly Command[])[],
    distinct: number,
  ): Promise<SampleLoss> {
    const size: SequenceSize = { ...writeSequences(this.#context, samples), distinct }
    for (const commands of parts) submitCommands(this.#context.base.gpu, commands, size)
    return readLoss(this.#context, size.targets)
  }
}
