import type { TrainingSample } from '../../data/index.js'
import { disposed } from '../../errors/index.js'
import type { Dispatch } from '../../gpu/index.js'
import { prefixDropoutWords } from '../../kernels/index.js'
import type { ModelBase } from '../../runtime/model/index.js'
import { accumulateOneByOne } from './accumulate-batch.js'
import { Allocation } from './allocation.js'
import { type Command, dispatches, type SequenceSize, submitCommands } from './commands.js'
import { compileKernels, compilePrefixKernels } from './kernels.js'
import type { StepContext } from './layer.js'
import { allocateOptimizer, Optimizer, optimizerBytes } from './optimizer.js'
import { accumulatePacks, type CheckedSample, countTargets } from './pack-samples.js'
import {
  allocateParameters,
  initializePrefix,
  type Parameter,
  parameterBytes,
  prefixParameterSpecs,
  readGradients,
  readParameters,
  writeParameters,
} from './parameters.js'
import { allocateEncoder, createPrefixEncoder, encoderBytes, type PrefixEncoder } from './prefix-encoder.js'
import { SequencePass } from './sequence-pass.js'
import { dispatchesOf, planStep, type StepEnds, type StepPlan } from './step-plan.js'
import { allocateBuffers, planMemory } from './training-buffers.js'
import type {
  AccumulateOptions,
  BatchOptions,
  ParameterState,
  PlannedMemory,
  PrefixTrainingEngine,
  PrefixTrainingOptions,
  SampleLoss,
  UpdateOptions,
} from './training-engine.js'
import { prefixTrainingShape } from './training-shape.js'

/** Everything before anything is allocated. */
async function prepare(base: ModelBase, options: PrefixTrainingOptions) {
  const shape = prefixTrainingShape(base, options)
  const specs = prefixParameterSpecs(base, shape, options.projection)
  const [kernels, prefixKernels] = await Promise.all([
    compileKernels(base, shape),
    compilePrefixKernels(base, shape),
  ])
  const bytes = parameterBytes(specs) + encoderBytes(specs) + optimizerBytes(specs.length)
  const memory: PlannedMemory[] = [
    ...planMemory(base, shape, kernels),
    { purpose: 'trained parameters, gradients and moments', bytes },
  ]
  return { shape, specs, kernels, prefixKernels, memory }
}

/**
 * The GPU memory that a training takes besides the model: compiles its kernels, but allocates nothing.
 * @throws `option.invalid`
 */
export async function planTraining(
  base: ModelBase,
  options: PrefixTrainingOptions,
): Promise<readonly PlannedMemory[]> {
  return (await prepare(base, options)).memory
}

type PrefixKernels = Awaited<ReturnType<typeof compilePrefixKernels>>

/** From the encoder's rows to the prefix of each layer, and back. */
function prefixEnds(
  { shape, buffers }: StepContext,
  kernels: PrefixKernels,
  encoder: PrefixEncoder,
): StepEnds {
  const { dropout: parameters, prefix, prefixGradient } = buffers
  const prefixRows = () => shape.prefixLength
  return {
    begin: dispatches(
      prefixRows,
      ...kernels.dropout.bind('prefix dropout', { parameters, rows: encoder.output, layers: prefix }),
    ),
    turn: [{ kind: 'clear', buffer: prefixGradient }],
    end: dispatches(
      prefixRows,
      ...kernels.dropoutBackward.bind('prefix dropout gradient', {
        parameters,
        rows: encoder.outputGradient,
        layers: prefixGradient,
      }),
    ),
  }
}

/** The training of a prefix over a model whose weights stay as they are. */
export class PrefixTraining implements PrefixTrainingEngine {
  readonly memory: readonly PlannedMemory[]
  readonly #context: StepContext
  readonly #dropout: number
  readonly #parameters: readonly Parameter[]
  readonly #encoder: PrefixEncoder
  readonly #optimizer: Optimizer
  readonly #plan: StepPlan
  readonly #pass: SequencePass
  readonly #allocation: Allocation
  #disposed = false

  private constructor(parts: {
    memory: readonly PlannedMemory[]
    context: StepContext
    dropout: number
    parameters: readonly Parameter[]
    encoder: PrefixEncoder
    optimizer: Optimizer
    plan: StepPlan
    pass: SequencePass
    allocation: Allocation
  }) {
    this.memory = parts.memory
    this.#context = parts.context
    this.#dropout = parts.dropout
    this.#parameters = parts.parameters
    this.#encoder = parts.encoder
    this.#optimizer = parts.optimizer
    this.#allocation = parts.allocation
    this.#plan = parts.plan
    this.#pass = parts.pass
  }

  /** Use `createPrefixTraining`. */
  static async create(base: ModelBase, options: PrefixTrainingOptions): Promise<PrefixTraining> {
    const { gpu } = base
    const { shape, specs, kernels, prefixKernels, memory } = await prepare(base, options)
    const allocation = new Allocation(gpu)
    try {
      const buffers = await gpu.allocating('training', () => ({
        step: allocateBuffers(base, shape, kernels, allocation),
        parameters: allocateParameters(allocation, 'prefixes', specs),
        encoder: allocateEncoder(allocation, specs),
        optimizer: allocateOptimizer(allocation, 'prefixes', specs.length),
      }))
      const { parameters } = buffers
      initializePrefix(gpu, parameters, options.seed)
      const [encoder, optimizer] = await Promise.all([
        createPrefixEncoder(gpu, parameters, buffers.encoder),
        Optimizer.create(gpu, parameters, buffers.optimizer),
      ])
      const context = { base, shape, kernels, buffers: buffers.step }
      const { dropout, maxSequenceLength } = options
      const plan = planStep(context, prefixEnds(context, prefixKernels, encoder))
      const parts = {
        memory,
        context,
        dropout,
        parameters,
        encoder,
        optimizer,
        plan,
        pass: new SequencePass(context, plan, maxSequenceLength),
        allocation,
      }
      const training = new PrefixTraining(parts)
      training.#submit(encoder.forward)
      return training
    } catch (error) {
      allocation.free()
      throw error
    }
  }

  async accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss> {
    const { packed, maxTokens } = this.#context.shape
    if (!packed) return accumulateOneByOne(this, batch, options)
    this.#checkDisposed()
    const samples = batch.map((sample) => this.#pass.check(sample, options.signal))
    const scale = options.gradientScale / countTargets(samples)
    return accumulatePacks(samples, maxTokens, (pack) =>
      this.#accumulate(pack, prefixDropoutWords(0, 0, scale)),
    )
  }

  async accumulate(sample: TrainingSample, options: AccumulateOptions): Promise<SampleLoss> {
    const { gradientScale, dropoutSeed, signal } = options
    this.#checkDisposed()
    const checked = this.#pass.check(sample, signal)
    const dropout = dropoutSeed === undefined ? 0 : this.#dropout
    const scale = gradientScale / checked.targets.rows.length
    return this.#accumulate([checked], prefixDropoutWords(dropout, dropoutSeed ?? 0, scale))
  }

  async evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    this.#checkDisposed()
    const checked = this.#pass.check(sample, signal)
    this.#writeDropout(prefixDropoutWords(0, 0, 0))
    return this.#pass.evaluate([checked])
  }

  /** @param dropout with the scale by which gradients are added to that of the prefix */
  #accumulate(samples: readonly CheckedSample[], dropout: Uint32Array): Promise<SampleLoss> {
    this.#writeDropout(dropout)
    return this.#pass.accumulate(samples)
  }

  async update(options: UpdateOptions): Promise<{ gradientNorm: number }> {
    this.#checkDisposed()
    this.#optimizer.configure(options)
    const { backward, clear, forward } = this.#encoder
    this.#submit([...backward, ...this.#optimizer.commands, ...clear, ...forward])
    return { gradientNorm: await this.#optimizer.readNorm() }
  }

  async readGradients(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    this.#checkDisposed()
    this.#submit(this.#encoder.backward)
    return readGradients(this.#context.base.gpu, this.#parameters)
  }

  async readPrefixRows(): Promise<Float32Array<ArrayBuffer>> {
    this.#checkDisposed()
    return new Float32Array(await this.#context.base.gpu.read(this.#encoder.output))
  }

  async readSums(): Promise<readonly Float32Array<ArrayBuffer>[]> {
    this.#checkDisposed()
    return [new Float32Array(await this.#context.base.gpu.read(this.#encoder.outputGradient))]
  }

  writeSums([gradient]: readonly Float32Array<ArrayBuffer>[]): void {
    this.#checkDisposed()
    this.#context.base.gpu.write(this.#encoder.outputGradient, 0, gradient)
  }

  async readTrained(): Promise<readonly Float32Array<ArrayBuffer>[]> {
    return [await this.readPrefixRows()]
  }

  writeTrained([rows]: readonly Float32Array<ArrayBuffer>[]): void {
    this.#checkDisposed()
    this.#context.base.gpu.write(this.#encoder.output, 0, rows)
    this.#submit(this.#encoder.clear)
  }

  async readState(): Promise<Map<string, ParameterState>> {
    this.#checkDisposed()
    return readParameters(this.#context.base.gpu, this.#parameters)
  }

  writeState(state: ReadonlyMap<string, ParameterState>): void {
    this.#checkDisposed()
    writeParameters(this.#context.base.gpu, this.#parameters, state)
    this.#submit([...this.#encoder.clear, ...this.#encoder.forward])
  }

  /** @internal The dispatches of a training step over a sequence of this size, for a profile. */
  dispatches(size: SequenceSize): Dispatch[] {
    return dispatchesOf(this.#plan, size)
  }

  dispose(): void {
    this.#disposed = true
    this.#allocation.free()
  }

  #checkDisposed(): void {
    if (this.#disposed) throw disposed('training')
  }

  #writeDropout(dropout: Uint32Array): void {
    const { base, buffers } = this.#context
    base.gpu.write(buffers.dropout, 0, dropout)
  }

  #submit(commands: readonly Command[]): void {
    submitCommands(this.#context.base.gpu, commands)
  }
}

/**
 * Sets up the training of a prefix over a loaded model. New parameters are drawn as torch draws those of the official
 * `PrefixEncoder`: N(0, 1) for the embedding, U(-1/sqrt(in), 1/sqrt(in)) for the layers of a projection.
 * @throws `option.invalid`, `device.out-of-memory`, `adapter.limit`, `adapter.shader-refused`
 */
export function createPrefixTraining(
  base: ModelBase,
  options: PrefixTrainingOptions,
): Promise<PrefixTrainingEngine> {
  return PrefixTraining.create(base, options)
}
