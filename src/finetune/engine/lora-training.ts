import type { TrainingSample } from '../../data/index.js'
import { disposed } from '../../errors/index.js'
import type { Dispatch } from '../../gpu/index.js'
import { LAYER_PRODUCTS, type LinearOperation, type ModelBase } from '../../runtime/model/index.js'
import { Allocation } from './allocation.js'
import { type Command, type SequenceSize, submitCommands } from './commands.js'
import { compileKernels } from './kernels.js'
import type { StepContext } from './layer.js'
import {
  asSaved,
  type FactorSpec,
  factorSpecs,
  initializeFactors,
  withTransposedB,
} from './lora-parameters.js'
import {
  allocateTermBuffers,
  bindTerms,
  compileTerms,
  dropoutWords,
  type TermBuffers,
  termBytes,
} from './lora-terms.js'
import { allocateOptimizer, Optimizer, optimizerBytes } from './optimizer.js'
import { accumulatePacks, type CheckedSample, countTargets } from './pack-samples.js'
import {
  allocateParameters,
  type Parameter,
  parameterBytes,
  readGradients,
  readParameters,
  writeParameters,
} from './parameters.js'
import { countWords } from './row-counts.js'
import { SequencePass } from './sequence-pass.js'
import { dispatchesOf, planStep, type StepPlan } from './step-plan.js'
import { allocateBuffers, planMemory } from './training-buffers.js'
import type {
  BatchOptions,
  LoraTrainingOptions,
  ParameterState,
  PlannedMemory,
  SampleLoss,
  TrainingEngine,
  UpdateOptions,
} from './training-engine.js'
import { loraTrainingShape } from './training-shape.js'

/** Everything before anything is allocated. */
async function prepare(base: ModelBase, options: LoraTrainingOptions) {
  const shape = loraTrainingShape(base, options)
  const specs = factorSpecs(base, options)
  const operations = LAYER_PRODUCTS.filter(({ weight }) => options.roles.includes(weight))
  const [kernels, termKernels] = await Promise.all([
    compileKernels(base, shape),
    compileTerms(base, operations, options),
  ])
  const memory: PlannedMemory[] = [
    ...planMemory(base, shape, kernels),
    { purpose: 'terms of the adapter', bytes: termBytes(base, shape, operations, options) },
    {
      purpose: 'trained parameters, gradients and moments',
      bytes: parameterBytes(specs) + optimizerBytes(specs.length),
    },
  ]
  return { shape, specs, operations, kernels, termKernels, memory }
}

/**
 * The GPU memory that a training of LoRA takes besides the model: compiles its kernels, but allocates nothing.
 * @throws `option.invalid`
 */
export async function planLoraTraining(
  base: ModelBase,
  options: LoraTrainingOptions,
): Promise<readonly PlannedMemory[]> {
  return (await prepare(base, options)).memory
}

interface Parts {
  readonly memory: readonly PlannedMemory[]
  readonly context: StepContext
  readonly dropout: number
  readonly operations: readonly LinearOperation[]
  readonly parameters: readonly (Parameter & FactorSpec)[]
  readonly optimizer: Optimizer
  readonly termBuffers: TermBuffers
  readonly plan: StepPlan
  readonly pass: SequencePass
  readonly allocation: Allocation
}

/** The training of low-rank factors beside the matrices of a model, whose weights stay as they are. */
export class LoraTraining implements TrainingEngine {
  readonly memory: readonly PlannedMemory[]
  readonly #parts: Parts
  #disposed = false

  private constructor(parts: Parts) {
    this.memory = parts.memory
    this.#parts = parts
  }

  /** Use `createLoraTraining`. */
  static async create(base: ModelBase, options: LoraTrainingOptions): Promise<LoraTraining> {
    const { gpu } = base
    const { shape, specs, operations, kernels, termKernels, memory } = await prepare(base, options)
    const allocation = new Allocation(gpu)
    try {
      const allocated = await gpu.allocating('training', () => ({
        buffers: allocateBuffers(base, shape, kernels, allocation),
        termBuffers: allocateTermBuffers(allocation, base, shape, operations, options),
        parameters: allocateParameters(allocation, 'prefixes', specs),
        optimizer: allocateOptimizer(allocation, 'prefixes', specs.length),
      }))
      const { buffers, termBuffers, parameters } = allocated
      initializeFactors(gpu, parameters, options.seed)
      const optimizer = await Optimizer.create(gpu, parameters, allocated.optimizer)
      const terms = bindTerms(base, shape, operations, termKernels, parameters, termBuffers)
      const context = { base, shape, kernels, buffers, terms }
      const plan = planStep(context, { begin: [], turn: [], end: [] })
      const pass = new SequencePass(context, plan, options.maxSequenceLength)
      const { dropout } = options
      const rest = {
        memory,
        context,
        dropout,
        operations,
        parameters,
        optimizer,
        termBuffers,
        plan,
        pass,
        allocation,
      }
      return new LoraTraining(rest)
    } catch (error) {
      allocation.free()
      throw error
    }
  }

  async accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss> {
    const { gradientScale, dropoutSeeds, signal } = options
    this.#checkDisposed()
    const { pass, context } = this.#parts
    const samples = batch.map((sample) => pass.check(sample, signal))
    const scale = gradientScale / countTargets(samples)
    return accumulatePacks(samples, context.shape.maxTokens, (pack) => {
      this.#writeInputs(pack, scale, dropoutSeeds?.[samples.indexOf(pack[0])])
      return pass.accumulate(pack)
    })
  }

  async evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    this.#checkDisposed()
    const { pass } = this.#parts
    const checked = pass.check(sample, signal)
    this.#writeInputs([checked], 0, undefined)
    return pass.evaluate([checked])
  }

  async update(options: UpdateOptions): Promise<{ gradientNorm: number }> {
    this.#checkDisposed()
    const { optimizer } = this.#parts
    optimizer.configure(options)
    this.#submit(optimizer.commands)
    return { gradientNorm: await optimizer.readNorm() }
  }

  async readGradients(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    this.#checkDisposed()
    const { context, parameters } = this.#parts
    return asSaved(parameters, await readGradients(context.base.gpu, parameters))
  }

  async readState(): Promise<Map<string, ParameterState>> {
    this.#checkDisposed()
    const { context, parameters } = this.#parts
    return withTransposedB(parameters, await readParameters(context.base.gpu, parameters))
  }

  writeState(state: ReadonlyMap<string, ParameterState>): void {
    this.#checkDisposed()
    const { context, parameters } = this.#parts
    writeParameters(context.base.gpu, parameters, withTransposedB(parameters, state))
    this.#submit(parameters.map(({ gradient }): Command => ({ kind: 'clear', buffer: gradient })))
  }

  /** @internal The dispatches of a training step over a sequence of this size, for a profile. */
  dispatches(size: SequenceSize): Dispatch[] {
    return dispatchesOf(this.#parts.plan, size)
  }

  dispose(): void {
    this.#disposed = true
    this.#parts.allocation.free()
  }

  #checkDisposed(): void {
    if (this.#disposed) throw disposed('training')
  }

  /** Writes what the kernels of terms read of samples that go through the model together. */
  #writeInputs(samples: readonly CheckedSample[], scale: number, seed: number | undefined): void {
    const { context, termBuffers, operations, dropout } = this.#parts
    const { base, shape } = context
    const rows = samples.reduce((sum, { ids }) => sum + ids.length, 0)
    base.gpu.write(termBuffers.counts, 0, countWords(shape, { rows, targets: countTargets(samples) }))
    base.gpu.write(termBuffers.scale, 0, new Float32Array([scale]))
    if (dropout === 0) return
    base.gpu.write(termBuffers.dropout, 0, dropoutWords(base, shape, operations, dropout, seed))
  }

  #submit(commands: readonly Command[]): void {
    submitCommands(this.#parts.context.base.gpu, commands)
  }
}

/**
 * Sets up the training of a LoRA adapter over a loaded model, in any weights.
 * @throws `option.invalid`, `device.out-of-memory`, `adapter.limit`, `adapter.shader-refused`
 */
export function createLoraTraining(base: ModelBase, options: LoraTrainingOptions): Promise<TrainingEngine> {
  return LoraTraining.create(base, options)
}
