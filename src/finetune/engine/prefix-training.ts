import { type Dispatch, prefixDropoutWords } from '../../kernels/index.js'
import { DisposedError, type ModelBase } from '../../runtime/index.js'
import { Allocation } from './allocation.js'
import { type Command, dispatches, encodeCommands, type SequenceSize } from './commands.js'
import { NonFiniteLossError } from './errors.js'
import { lossCommands } from './head.js'
import { compileKernels } from './kernels.js'
import { allRows, backwardLayer, forwardLayer, type StepContext } from './layer.js'
import { allocateOptimizer, Optimizer, optimizerBytes } from './optimizer.js'
import {
  allocateParameters,
  initializeParameters,
  type Parameter,
  parameterBytes,
  parameterSpecs,
  readGradients,
  readParameters,
  writeParameters,
} from './parameters.js'
import { allocateEncoder, createPrefixEncoder, encoderBytes, type PrefixEncoder } from './prefix-encoder.js'
import { type Targets, targetsOf } from './sample.js'
import { allocateBuffers, planMemory } from './training-buffers.js'
import type {
  AccumulateOptions,
  ParameterState,
  PlannedMemory,
  PrefixTrainingOptions,
  SampleLoss,
  TrainingEngine,
  TrainingSample,
  UpdateOptions,
} from './training-engine.js'
import { trainingShape } from './training-shape.js'

/** Everything before anything is allocated. */
async function prepare(base: ModelBase, options: PrefixTrainingOptions) {
  const shape = trainingShape(base, options)
  const specs = parameterSpecs(base, shape, options.projection)
  const kernels = await compileKernels(base, shape)
  const bytes = parameterBytes(specs) + encoderBytes(specs) + optimizerBytes(specs.length)
  const memory: PlannedMemory[] = [
    ...planMemory(base, shape, kernels),
    { purpose: 'trained parameters, gradients and moments', bytes },
  ]
  return { shape, specs, kernels, memory }
}

/**
 * The GPU memory that a training takes besides the model: compiles its kernels, but allocates nothing.
 * @throws InvalidOptionError
 */
export async function planTraining(
  base: ModelBase,
  options: PrefixTrainingOptions,
): Promise<readonly PlannedMemory[]> {
  return (await prepare(base, options)).memory
}

/** The commands of a training step, in parts that are submitted one by one: the GPU may be shared with a display. */
interface StepPlan {
  readonly forward: readonly (readonly Command[])[]
  readonly loss: readonly Command[]
  readonly lossAndGradient: readonly Command[]
  readonly backward: readonly (readonly Command[])[]
}

function planStep(context: StepContext, encoder: PrefixEncoder): StepPlan {
  const { base, shape, kernels, buffers } = context
  const layers = base.weights.layers.map((_, index) => index)
  const { dropout: parameters, prefix, prefixGradient, rows, hidden } = buffers
  const prefixRows = () => shape.prefixLength
  const begin: Command[] = [
    ...dispatches(
      prefixRows,
      kernels.dropout('prefix dropout', { parameters, rows: encoder.output, layers: prefix }),
    ),
    ...dispatches(
      allRows,
      ...kernels.embedding.map(({ bind, buffers }) => bind('embedding', { ...buffers, rows, y: hidden[0] })),
    ),
  ]
  const end = dispatches(
    prefixRows,
    kernels.dropoutBackward('prefix dropout gradient', {
      parameters,
      rows: encoder.outputGradient,
      layers: prefixGradient,
    }),
  )
  return {
    forward: [begin, ...layers.map((layer) => forwardLayer(context, layer))],
    loss: lossCommands(context, false),
    lossAndGradient: [{ kind: 'clear', buffer: prefixGradient }, ...lossCommands(context, true)],
    backward: [...layers.toReversed().map((layer) => backwardLayer(context, layer)), end],
  }
}

/** The training of a prefix over a model whose weights stay as they are. */
export class PrefixTraining implements TrainingEngine {
  readonly memory: readonly PlannedMemory[]
  readonly #context: StepContext
  readonly #dropout: number
  readonly #parameters: readonly Parameter[]
  readonly #encoder: PrefixEncoder
  readonly #optimizer: Optimizer
  readonly #plan: StepPlan
  readonly #allocation: Allocation
  #disposed = false

  private constructor(parts: {
    memory: readonly PlannedMemory[]
    context: StepContext
    dropout: number
    parameters: readonly Parameter[]
    encoder: PrefixEncoder
    optimizer: Optimizer
    allocation: Allocation
  }) {
    this.memory = parts.memory
    this.#context = parts.context
    this.#dropout = parts.dropout
    this.#parameters = parts.parameters
    this.#encoder = parts.encoder
    this.#optimizer = parts.optimizer
    this.#allocation = parts.allocation
    this.#plan = planStep(parts.context, parts.encoder)
  }

  /** Use `createPrefixTraining`. */
  static async create(base: ModelBase, options: PrefixTrainingOptions): Promise<PrefixTraining> {
    const { gpu } = base
    const { shape, specs, kernels, memory } = await prepare(base, options)
    const allocation = new Allocation(gpu)
    try {
      const buffers = await gpu.allocating('training', () => ({
        step: allocateBuffers(base, shape, kernels, allocation),
        parameters: allocateParameters(allocation, specs),
        encoder: allocateEncoder(allocation, specs),
        optimizer: allocateOptimizer(allocation, specs.length),
      }))
      const { parameters } = buffers
      initializeParameters(gpu, parameters, options.seed)
      const [encoder, optimizer] = await Promise.all([
        createPrefixEncoder(gpu, parameters, buffers.encoder),
        Optimizer.create(gpu, parameters, buffers.optimizer),
      ])
      const context = { base, shape, kernels, buffers: buffers.step }
      const { dropout } = options
      const parts = { memory, context, dropout, parameters, encoder, optimizer, allocation }
      const training = new PrefixTraining(parts)
      training.#submit(encoder.forward)
      return training
    } catch (error) {
      allocation.free()
      throw error
    }
  }

  async accumulate(sample: TrainingSample, options: AccumulateOptions): Promise<SampleLoss> {
    const { gradientScale, dropoutSeed, signal } = options
    const targets = this.#check(sample, signal)
    const dropout = dropoutSeed === undefined ? 0 : this.#dropout
    // The gradient of the sum of the losses comes down through the layers, where products in f16 can still tell it from
    // zero. That of their mean is only formed where it reaches the prefix.
    const scale = gradientScale / targets.rows.length
    const size = this.#write(sample, targets, prefixDropoutWords(dropout, dropoutSeed ?? 0, scale))
    const { forward, lossAndGradient, backward } = this.#plan
    for (const commands of [...forward, lossAndGradient, ...backward]) this.#submit(commands, size)
    return this.#readLoss(targets)
  }

  async evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss> {
    const targets = this.#check(sample, signal)
    const size = this.#write(sample, targets, prefixDropoutWords(0, 0, 0))
    for (const commands of [...this.#plan.forward, this.#plan.loss]) this.#submit(commands, size)
    return this.#readLoss(targets)
  }

  async update(options: UpdateOptions): Promise<{ gradientNorm: number }> {
    this.#checkDisposed()
    this.#optimizer.configure(options)
    const { backward, clear, forward } = this.#encoder
    this.#submit([...backward, ...this.#optimizer.commands, ...clear, ...forward])
    const gradientNorm = await this.#optimizer.readNorm()
    if (!Number.isFinite(gradientNorm)) throw new NonFiniteLossError('gradient norm', gradientNorm)
    return { gradientNorm }
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
    const { forward, lossAndGradient, backward } = this.#plan
    return [...forward, lossAndGradient, ...backward].flat().flatMap((command): Dispatch[] => {
      if (command.kind !== 'dispatch') return []
      const rows = command.rows(size)
      const { dispatch } = command
      return rows > 0 ? [{ ...dispatch, workgroups: () => dispatch.workgroups(rows) }] : []
    })
  }

  dispose(): void {
    this.#disposed = true
    this.#allocation.free()
  }

  #checkDisposed(): void {
    if (this.#disposed) throw new DisposedError('training')
  }

  #check(sample: TrainingSample, signal?: AbortSignal): Targets {
    this.#checkDisposed()
    signal?.throwIfAborted()
    return targetsOf(sample, this.#context.base.config.vocabulary, this.#context.shape.maxTokens)
  }

  /** Writes what the kernels read of a sequence. */
  #write({ ids }: TrainingSample, targets: Targets, dropout: Uint32Array): SequenceSize {
    const { base, shape, buffers } = this.#context
    const { gpu } = base
    const rows = new Uint32Array(ids.length * 4)
    ids.forEach((id, position) => {
      rows.set([id, 0, position, shape.prefixLength], position * 4)
    })
    gpu.write(buffers.rows, 0, rows)
    gpu.write(buffers.sequences, 0, new Uint32Array([ids.length]))
    gpu.write(buffers.targetRows, 0, this.#inChunks(targets.rows))
    gpu.write(buffers.targetIds, 0, this.#inChunks(targets.ids))
    gpu.write(buffers.dropout, 0, dropout)
    return { rows: ids.length, targets: targets.rows.length }
  }

  /** Place of a target in the buffers that its chunk finds at its own offset. */
  #place(target: number): number {
    const { headRows, headStride } = this.#context.shape
    return Math.floor(target / headRows) * headStride + (target % headRows)
  }

  #inChunks(values: readonly number[]): Uint32Array {
    const words = new Uint32Array(this.#place(values.length - 1) + 1)
    values.forEach((value, target) => {
      words[this.#place(target)] = value
    })
    return words
  }

  async #readLoss({ rows: { length } }: Targets): Promise<SampleLoss> {
    const { base, buffers } = this.#context
    const bytes = await base.gpu.read(buffers.losses, 0, (this.#place(length - 1) + 1) * 4)
    const losses = new Float32Array(bytes)
    let sum = 0
    for (let target = 0; target < length; target++) sum += losses[this.#place(target)]
    const loss = sum / length
    if (!Number.isFinite(loss)) throw new NonFiniteLossError('loss', loss)
    return { loss, targets: length }
  }

  #submit(commands: readonly Command[], size: SequenceSize = { rows: 0, targets: 0 }): void {
    const { gpu } = this.#context.base
    gpu.check()
    const encoder = gpu.device.createCommandEncoder({ label: 'training' })
    encodeCommands(encoder, commands, size)
    gpu.device.queue.submit([encoder.finish()])
  }
}

/**
 * Sets up the training of a prefix over a loaded model. New parameters are drawn as torch draws those of the official
 * `PrefixEncoder`: N(0, 1) for the embedding, U(-1/sqrt(in), 1/sqrt(in)) for the layers of a projection.
 * @throws InvalidOptionError, OutOfMemoryError, AdapterLimitError, ShaderCompilationError
 */
export function createPrefixTraining(
  base: ModelBase,
  options: PrefixTrainingOptions,
): Promise<TrainingEngine> {
  return PrefixTraining.create(base, options)
}
