import { hasCode } from '../../../errors/index.js'
import type { Dispatch } from '../../../gpu/index.js'
import { type ChoicePlan, chooseVariants } from '../variants/choose-variants.js'
import type { TuningTimes } from '../variants/tuning-record.js'
import { byVariantName, type VariantChoices, type Variants } from '../variants/variants.js'
import { type EngineOptions, rowBucket } from './engine-options.js'
import { fitsFusedPlans, type LoraBuffersOfPlans, loraBuilder } from './lora.js'
import { type PlanBuffers, Plans, type StepPlan } from './plans.js'
import { Prepared } from './prepared.js'
import type { LogitsBuffers } from './prompt-rows.js'
import type { StepRunner } from './step-runner.js'

/** What is known of an engine before its variants are chosen. */
export interface PreparedPlansParts {
  readonly buffers: PlanBuffers
  readonly runner: StepRunner
  readonly contextLength: number
  readonly maxSequences: number
}

/** Plans that add the terms of LoRA adapters. */
interface AdaptedPlans {
  readonly prefill: Prepared<Dispatch[]>
  /** By the rows that they are built for. */
  readonly steps: Map<number, Prepared<StepPlan>>
}

/** The plans of an engine for the variants that are chosen: each is built once, when it is first needed. */
export class PreparedPlans {
  /** A chunk of a prompt. */
  readonly prefill = new Prepared(() => this.#plans.prefill(this.#chosen))

  /** By what they are bound to. */
  readonly #adapted = new WeakMap<LoraBuffersOfPlans, AdaptedPlans>()
  readonly #parts: PreparedPlansParts
  readonly #plans: Plans
  /** By the rows that they are built for. */
  readonly #steps = new Map<number, Prepared<StepPlan>>()
  #variants: VariantChoices | undefined

  constructor(parts: PreparedPlansParts) {
    this.#parts = parts
    this.#plans = new Plans(parts.buffers)
  }

  /** Which variants are used, and why. */
  get variants(): VariantChoices {
    if (!this.#variants) throw new TypeError('The variants are not chosen yet.')
    return this.#variants
  }

  get #chosen(): Variants {
    return byVariantName((name) => this.variants[name].variant) as Variants
  }

  /**
   * Chooses variants, and compiles what a single conversation needs.
   * @returns what was measured
   * @throws `adapter.shader-refused`
   */
  async choose(choices: readonly ChoicePlan[], options: EngineOptions): Promise<TuningTimes> {
    const { buffers, runner, contextLength } = this.#parts
    const { gpu } = buffers.context
    // Most kernels do not depend on the choice, and compile meanwhile with what is likely to be chosen.
    const likely = byVariantName(
      (wanted) => choices.find(({ name }) => name === wanted)?.order[0],
    ) as Variants
    const meanwhile = Promise.all([this.#plans.prefill(likely), this.#plans.step(likely, 1)]).catch(
      (error) => {
        if (!hasCode(error, 'adapter.shader-refused')) throw error
      },
    )
    const beforeMeasuring = async () => {
      const [likelyPlans] = await Promise.all([meanwhile, options.weightsReady])
      options.onMeasure?.()
      this.#plans.placeTrials(contextLength)
      // Trials compute with numbers and at clocks as they are in use.
      if (likelyPlans) runner.submit('warm-up', likelyPlans[0], buffers.prefill.maxRows)
    }
    const choosing = chooseVariants(gpu, choices, {
      build: (name, variant) => this.#plans.trial(name, variant, likely),
      beforeMeasuring,
      onRefused: (message) => options.onRefused?.(message),
    })
    const [{ variants, measured }] = await Promise.all([choosing, meanwhile])
    this.#variants = variants
    if (variants.prefillProduct.variant !== 'int8' && buffers.quantized) {
      gpu.free(buffers.quantized.words)
      gpu.free(buffers.quantized.ranges)
    }
    await Promise.all([this.prefill.get(), this.step(1).get()])
    return measured
  }

  /** The plan of a step over so many rows, or the next larger number that there is a plan for. */
  step(rows: number): Prepared<StepPlan> {
    const bucket = rowBucket(this.#chosen, rows, this.#parts.maxSequences)
    const step = this.#steps.get(bucket) ?? new Prepared(() => this.#plans.step(this.#chosen, bucket))
    this.#steps.set(bucket, step)
    return step
  }

  /** A chunk of a prompt with a LoRA adapter. */
  adaptedPrefill(lora: LoraBuffersOfPlans): Prepared<Dispatch[]> {
    return this.#adaptedPlans(lora).prefill
  }

  /** A step as `step` gives it, some of whose rows have LoRA adapters: not fused where fused plans cannot add their terms. */
  adaptedStep(rows: number, lora: LoraBuffersOfPlans): Prepared<StepPlan> {
    const { maxSequences, buffers } = this.#parts
    const variants = this.#adaptedVariants(lora)
    const bucket = Math.min(rowBucket(variants, rows, maxSequences), buffers.decode.maxRows)
    const { steps } = this.#adaptedPlans(lora)
    const build = () => this.#plans.step(variants, bucket, loraBuilder(buffers.context.gpu, lora))
    const step = steps.get(bucket) ?? new Prepared(build)
    steps.set(bucket, step)
    return step
  }

  /** What plans with adapters are built of. */
  #adaptedVariants(lora: LoraBuffersOfPlans): Variants {
    if (fitsFusedPlans(lora)) return this.#chosen
    return { ...this.#chosen, prefill: 'unfused', decode: 'float', decodeFew: 'float', decodeMany: 'float' }
  }

  #adaptedPlans(lora: LoraBuffersOfPlans): AdaptedPlans {
    const builder = loraBuilder(this.#parts.buffers.context.gpu, lora)
    const plans = this.#adapted.get(lora) ?? {
      prefill: new Prepared(() => this.#plans.prefill(this.#adaptedVariants(lora), builder)),
      steps: new Map<number, Prepared<StepPlan>>(),
    }
    this.#adapted.set(lora, plans)
    return plans
  }

  /** From the residual stream to the logits at `rows` positions of a prompt. */
  promptHead(rows: number, buffers: LogitsBuffers): Promise<Dispatch[]> {
    return this.#plans.promptHead(this.#chosen, rows, buffers)
  }
}
