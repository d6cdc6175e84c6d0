import { embeddingGroups } from '../../kernels/index.js'
import { DisposedError, type ModelBase } from '../../runtime/index.js'
import { Allocation } from './allocation.js'
import { type Command, dispatches, type RowCount, type SequenceSize, submitCommands } from './commands.js'
import { NonFiniteLossError } from './errors.js'
import { compileKernels } from './kernels.js'
import type { StepContext } from './layer.js'
import { compileRounding, modelParameterSpecs, takeFromModel } from './model-parameters.js'
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
import { targetsOf } from './sample.js'
import { readLoss, writeSequences } from './sequence-input.js'
import { planStep, type StepPlan } from './step-plan.js'
import { allocateBuffers, planMemory } from './training-buffers.js'
import type {
  BatchOptions,
  ModelTrainingOptions,
  ParameterState,
  PlannedMemory,
  SampleLoss,
  TrainingEngine,
  TrainingSample,
  UpdateOptions,
} from './training-engine.js'
import { modelTrainingShape } from './training-shape.js'
import {
  allocateGradientBuffers,
  bindWeightGradients,
  compileGradientKernels,
  countWords,
  type GradientBuffers,
  gradientBufferBytes,
} from './weight-gradients.js'

/** Everything before anything is allocated. */
async function prepare(base: ModelBase, options: ModelTrainingOptions) {
  const shape = modelTrainingShape(base, options)
  const specs = modelParameterSpecs(base)
  const [kernels, gradientKernels] = await Promise.all([
    compileKernels(base, shape),
    compileGradientKernels(base, shape),
  ])
  const memory: PlannedMemory[] = [
    ...planMemory(base, shape, kernels),
    { purpose: 'scratch of weight gradients', bytes: gradientBufferBytes(shape, gradientKernels) },
    {
      purpose: 'trained parameters, gradients and moments',
      bytes: parameterBytes(specs) + optimizerBytes(specs.length),
    },
  ]
  return { shape, specs, kernels, gradientKernels, memory }
}

const distinctTokens: RowCount = ({ distinct }) => distinct

/**
 * The training of all weights of a model. Parameters, gradients and moments are f32; the model itself, which the
 * kernels read, holds the parameters rounded to f16 and is changed by every update.
 */
class ModelTraining implements TrainingEngine {
  readonly memory: readonly PlannedMemory[]
  readonly #context: StepContext
  readonly #maxSequenceLength: number
  readonly #parameters: readonly Parameter[]
  readonly #rounding: readonly Command[]
  readonly #optimizer: Optimizer
  readonly #gradientBuffers: GradientBuffers
  readonly #plan: StepPlan
  readonly #allocation: Allocation
  #disposed = false

  private constructor(parts: {
    memory: readonly PlannedMemory[]
    context: StepContext
    maxSequenceLength: number
    parameters: readonly Parameter[]
    rounding: readonly Command[]
    optimizer: Optimizer
    gradientBuffers: GradientBuffers
    plan: StepPlan
    allocation: Allocation
  }) {
    this.memory = parts.memory
    this.#context = parts.context
    this.#maxSequenceLength = parts.maxSequenceLength
    this.#parameters = parts.parameters
    this.#rounding = parts.rounding
    this.#optimizer = parts.optimizer
    this.#gradientBuffers = parts.gradientBuffers
    this.#allocation = parts.allocation
    this.#plan = parts.plan
  }

  /** Use `createModelTraining`. */
  static async create(base: ModelBase, options: ModelTrainingOptions): Promise<ModelTraining> {
    const { gpu } = base
    const { maxSequenceLength } = options
    const { shape, specs, kernels, gradientKernels, memory } = await prepare(base, options)
    const allocation = new Allocation(gpu)
    try {
      const allocated = await gpu.allocating('training', () => ({
        buffers: allocateBuffers(base, shape, kernels, allocation),
        gradientBuffers: allocateGradientBuffers(allocation, shape, gradientKernels),
        parameters: allocateParameters(allocation, 'weights', specs),
        optimizer: allocateOptimizer(allocation, 'weights', specs.length),
      }))
      const { buffers, gradientBuffers, parameters } = allocated
      const [optimizer, rounding] = await Promise.all([
        Optimizer.create(gpu, parameters, allocated.optimizer),
        compileRounding(gpu, parameters),
        takeFromModel(gpu, parameters),
      ])
      const gradients = bindWeightGradients(base, shape, gradientKernels, parameters, gradientBuffers)
      const context = { base, shape, kernels, buffers, gradients }
      const embedding = gradients.embedding(buffers.gradient)
      const plan = planStep(context, { begin: [], turn: [], end: dispatches(distinctTokens, embedding) })
      const parts = { memory, context, maxSequenceLength, parameters, rounding, optimizer, gradientBuffers }
      return new ModelTraining({ ...parts, plan, allocation })
    } catch (error) {
      allocation.free()
      throw error
    }
  }

  async accumulateBatch(
    batch: readonly TrainingSample[],
    { gradientScale, signal }: Pick<BatchOptions, 'gradientScale' | 'signal'>,
  ): Promise<SampleLoss> {
    const samples = batch.map((sample) => this.#check(sample, signal))
    // The gradient of the sum of the losses comes down through the layers, where products in f16 can still tell it from
    // zero. That of their mean is only formed where it reaches a weight.
    const scale = gradientScale / countTargets(samples)
    const { forward, lossAndGradient, backward } = this.#plan
    return accumulatePacks(samples, this.#context.shape.maxTokens, (pack) => {
      const size = this.#write(pack, scale)
      for (const commands of [...forward, lossAndGradient, ...backward]) this.#submit(commands, size)
      return readLoss(this.#context, size.targets)
    })
  }

  async evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    const size = this.#write([this.#check(sample, signal)], 0)
    for (const commands of [...this.#plan.forward, this.#plan.loss]) this.#submit(commands, size)
    return readLoss(this.#context, size.targets)
  }

  async update(options: UpdateOptions): Promise<{ gradientNorm: number }> {
    this.#checkDisposed()
    this.#optimizer.configure(options)
    this.#submit([...this.#optimizer.commands, ...this.#rounding])
    const gradientNorm = await this.#optimizer.readNorm()
    if (!Number.isFinite(gradientNorm)) throw new NonFiniteLossError('gradient norm', gradientNorm)
    return { gradientNorm }
  }

  async readGradients(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    this.#checkDisposed()
    return readGradients(this.#context.base.gpu, this.#parameters)
  }

  async readState(): Promise<Map<string, ParameterState>> {
    this.#checkDisposed()
    return readParameters(this.#context.base.gpu, this.#parameters)
  }

  writeState(state: ReadonlyMap<string, ParameterState>): void {
    this.#checkDisposed()
    writeParameters(this.#context.base.gpu, this.#parameters, state)
    const clear = this.#parameters.map(({ gradient }): Command => ({ kind: 'clear', buffer: gradient }))
    this.#submit([...clear, ...this.#rounding])
  }

  dispose(): void {
    this.#disposed = true
    this.#allocation.free()
  }

  #checkDisposed(): void {
    if (this.#disposed) throw new DisposedError('training')
  }

  #check(sample: TrainingSample, signal?: AbortSignal): CheckedSample {
    this.#checkDisposed()
    signal?.throwIfAborted()
    const targets = targetsOf(sample, this.#context.base.config.vocabulary, this.#maxSequenceLength)
    return { ids: sample.ids, targets }
  }

  /** Writes what the kernels read of samples that go through the model together. */
  #write(samples: readonly CheckedSample[], scale: number): SequenceSize {
    const { gpu } = this.#context.base
    const size = writeSequences(this.#context, samples)
    const { order, groups } = embeddingGroups(samples.flatMap(({ ids }) => ids))
    const buffers = this.#gradientBuffers
    gpu.write(buffers.order, 0, order)
    gpu.write(buffers.groups, 0, groups)
    gpu.write(buffers.counts, 0, countWords(this.#context.shape, size))
    gpu.write(buffers.scale, 0, new Float32Array([scale]))
    return { ...size, distinct: groups.length / 3 }
  }

  #submit(commands: readonly Command[], size?: SequenceSize): void {
    submitCommands(this.#context.base.gpu, commands, size)
  }
}

/**
 * Sets up the training of all weights of a loaded model, which goes on from those it has. Its updates change the model.
 * @throws UntrainableModelError, InvalidOptionError, OutOfMemoryError, AdapterLimitError, ShaderCompilationError
 */
export function createModelTraining(base: ModelBase, options: ModelTrainingOptions): Promise<TrainingEngine> {
  return ModelTraining.create(base, options)
}
