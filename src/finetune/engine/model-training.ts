import type { TrainingSample } from '../../data/index.js'
import { disposed } from '../../errors/index.js'
import { embeddingGroups } from '../../kernels/index.js'
import type { ModelBase } from '../../runtime/model/index.js'
import { Allocation } from './allocation.js'
import { type Command, dispatches, type RowCount, submitCommands } from './commands.js'
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
import { countWords } from './row-counts.js'
import { SequencePass } from './sequence-pass.js'
import { planStep } from './step-plan.js'
import { allocateBuffers, planMemory } from './training-buffers.js'
import type {
  BatchOptions,
  ModelTrainingOptions,
  ParameterState,
  PlannedMemory,
  SampleLoss,
  TrainingEngine,
  UpdateOptions,
} from './training-engine.js'
import { modelTrainingShape } from './training-shape.js'
import {
  allocateGradientBuffers,
  bindWeightGradients,
  compileGradientKernels,
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
  readonly #parameters: readonly Parameter[]
  readonly #rounding: readonly Command[]
  readonly #optimizer: Optimizer
  readonly #gradientBuffers: GradientBuffers
  readonly #pass: SequencePass
  readonly #allocation: Allocation
  #disposed = false

  private constructor(parts: {
    memory: readonly PlannedMemory[]
    context: StepContext
    parameters: readonly Parameter[]
    rounding: readonly Command[]
    optimizer: Optimizer
    gradientBuffers: GradientBuffers
    pass: SequencePass
    allocation: Allocation
  }) {
    this.memory = parts.memory
    this.#context = parts.context
    this.#parameters = parts.parameters
    this.#rounding = parts.rounding
    this.#optimizer = parts.optimizer
    this.#gradientBuffers = parts.gradientBuffers
    this.#allocation = parts.allocation
    this.#pass = parts.pass
  }

  /** Use `createModelTraining`. */
  static async create(base: ModelBase, options: ModelTrainingOptions): Promise<ModelTraining> {
    const { gpu } = base
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
      const plan = planStep(context, { begin: [], turn: [], end: dispatches(distinctTokens, ...embedding) })
      const pass = new SequencePass(context, plan, options.maxSequenceLength)
      const parts = { memory, context, parameters, rounding, optimizer, gradientBuffers, pass, allocation }
      return new ModelTraining(parts)
    } catch (error) {
      allocation.free()
      throw error
    }
  }

  async accumulateBatch(
    batch: readonly TrainingSample[],
    { gradientScale, signal }: Pick<BatchOptions, 'gradientScale' | 'signal'>,
  ): Promise<SampleLoss> {
    this.#checkDisposed()
    const samples = batch.map((sample) => this.#pass.check(sample, signal))
    const scale = gradientScale / countTargets(samples)
    return accumulatePacks(samples, this.#context.shape.maxTokens, (pack) =>
      this.#pass.accumulate(pack, this.#writeGradientInputs(pack, scale)),
    )
  }

  async evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    this.#checkDisposed()
    return this.#pass.evaluate([this.#pass.check(sample, signal)])
  }

  async update(options: UpdateOptions): Promise<{ gradientNorm: number }> {
    this.#checkDisposed()
    this.#optimizer.configure(options)
    this.#submit([...this.#optimizer.commands, ...this.#rounding])
    return { gradientNorm: await this.#optimizer.readNorm() }
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
    if (this.#disposed) throw disposed('training')
  }

  /**
   * Writes what the kernels of weight gradients read of samples that go through the model together.
   * @returns how many different tokens they have
   */
  #writeGradientInputs(samples: readonly CheckedSample[], scale: number): number {
    const { gpu } = this.#context.base
    const ids = samples.flatMap((sample) => sample.ids)
    const size = { rows: ids.length, targets: countTargets(samples) }
    const { order, groups } = embeddingGroups(ids)
    const buffers = this.#gradientBuffers
    gpu.write(buffers.order, 0, order)
    gpu.write(buffers.groups, 0, groups)
    gpu.write(buffers.counts, 0, countWords(this.#context.shape, size))
    gpu.write(buffers.scale, 0, new Float32Array([scale]))
    return groups.length / 3
  }

  #submit(commands: readonly Command[]): void {
    submitCommands(this.#context.base.gpu, commands)
  }
}

/**
 * Sets up the training of all weights of a loaded model, which goes on from those it has. Its updates change the model.
 * @throws `training.untrainable`, `option.invalid`, `device.out-of-memory`, `adapter.limit`, `adapter.shader-refused`
 */
export function createModelTraining(base: ModelBase, options: ModelTrainingOptions): Promise<TrainingEngine> {
  return ModelTraining.create(base, options)
}
