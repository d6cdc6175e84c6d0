import { TrainingError } from '../../errors/index.js'
import type { Gpu, MemoryKind } from '../../gpu/index.js'
import { type ModelBase, PREFIX_ENCODER } from '../../runtime/model/index.js'
import type { Allocation } from './allocation.js'
import { type Initialization, initialValues } from './initial-values.js'
import type { ParameterState } from './training-engine.js'
import type { TrainingShape } from './training-shape.js'

/** What is known of a parameter before it is on the GPU. */
export interface ParameterSpec {
  /** Official name. */
  readonly name: string
  readonly shape: readonly number[]
  /** Whether AdamW's weight decay applies to it. */
  readonly decays: boolean
}

/** A parameter of the prefix encoder, as the official `PrefixEncoder` declares it. */
export interface PrefixParameterSpec extends ParameterSpec {
  readonly initialization: Initialization
}

/** A parameter on the GPU: f32, all of its shape. */
export interface Parameter extends ParameterSpec {
  readonly count: number
  readonly value: GPUBuffer
  readonly gradient: GPUBuffer
  readonly firstMoment: GPUBuffer
  readonly secondMoment: GPUBuffer
}

const FLOAT = 4
/** Buffers of a parameter: value, gradient, and two moments. */
const BUFFERS = 4

function countOf({ shape }: ParameterSpec): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** The parameters of a prefix encoder, in the official order. */
export function prefixParameterSpecs(
  { config }: Pick<ModelBase, 'config'>,
  { prefixLength, prefixWidth }: Pick<TrainingShape, 'prefixLength' | 'prefixWidth'>,
  projection: boolean,
): readonly PrefixParameterSpec[] {
  const embedding: PrefixParameterSpec = {
    name: `${PREFIX_ENCODER}embedding.weight`,
    shape: [prefixLength, prefixWidth],
    decays: true,
    initialization: { normal: true },
  }
  if (!projection) return [embedding]
  const linear = (index: number, outFeatures: number, inFeatures: number): PrefixParameterSpec[] => {
    const initialization = { bound: 1 / Math.sqrt(inFeatures) }
    const name = `${PREFIX_ENCODER}trans.${index}`
    return [
      { name: `${name}.weight`, shape: [outFeatures, inFeatures], decays: true, initialization },
      { name: `${name}.bias`, shape: [outFeatures], decays: true, initialization },
    ]
  }
  return [embedding, ...linear(0, config.hidden, prefixWidth), ...linear(2, prefixWidth, config.hidden)]
}

/** Bytes on the GPU of parameters with their gradients and moments. */
export function parameterBytes(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, spec) => sum + BUFFERS * FLOAT * countOf(spec), 0)
}

/** Allocates parameters; gradients and moments are zero. */
export function allocateParameters<Spec extends ParameterSpec>(
  allocation: Allocation,
  kind: MemoryKind,
  specs: readonly Spec[],
): (Spec & Parameter)[] {
  return specs.map((spec) => {
    const count = countOf(spec)
    const floats = (label: string) => allocation.allocate(kind, `${spec.name} ${label}`, count * FLOAT)
    return {
      ...spec,
      count,
      value: floats('value'),
      gradient: floats('gradient'),
      firstMoment: floats('first moment'),
      secondMoment: floats('second moment'),
    }
  })
}

/** Writes the initial values of a new encoder. */
export function initializePrefix(
  gpu: Gpu,
  parameters: readonly (Parameter & PrefixParameterSpec)[],
  seed: number,
): void {
  parameters.forEach(({ count, initialization, value }, index) => {
    gpu.write(value, 0, initialValues(count, initialization, seed, index))
  })
}

async function readFloats(gpu: Gpu, buffer: GPUBuffer, count: number): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await gpu.read(buffer, 0, count * FLOAT))
}

/** Reads gradients, by name. */
export async function readGradients(
  gpu: Gpu,
  parameters: readonly Parameter[],
): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  // All copies are encoded before the first is awaited, so that they belong to one moment.
  const entries = parameters.map(
    async ({ name, gradient, count }) => [name, await readFloats(gpu, gradient, count)] as const,
  )
  return new Map(await Promise.all(entries))
}

/** Reads values and moments, by name. */
export async function readParameters(
  gpu: Gpu,
  parameters: readonly Parameter[],
): Promise<Map<string, ParameterState>> {
  const entries = parameters.map(async ({ name, shape, value, firstMoment, secondMoment, count }) => {
    const [parameter, first, second] = await Promise.all(
      [value, firstMoment, secondMoment].map((buffer) => readFloats(gpu, buffer, count)),
    )
    return [name, { shape, parameter, firstMoment: first, secondMoment: second }] as const
  })
  return new Map(await Promise.all(entries))
}

/**
 * Writes values and moments.
 * @throws `training.state-mismatch` before anything is written
 */
export function writeParameters(
  gpu: Gpu,
  parameters: readonly Parameter[],
  state: ReadonlyMap<string, ParameterState>,
): void {
  const expected = parameters.map(({ name }) => name).join(', ')
  if (state.size !== parameters.length) {
    throw new TrainingError(
      'training.state-mismatch',
      `The saved state has ${[...state.keys()].join(', ') || 'no parameters'}; ${expected} are trained.`,
    )
  }
  for (const { name, shape, count } of parameters) {
    const saved = state.get(name)
    if (!saved)
      throw new TrainingError(
        'training.state-mismatch',
        `The saved state has no ${name}; ${expected} are trained.`,
      )
    if (saved.shape.join() !== shape.join()) {
      throw new TrainingError(
        'training.state-mismatch',
        `${name} has shape [${saved.shape}] in the saved state, [${shape}] here.`,
      )
    }
    for (const values of [saved.parameter, saved.firstMoment, saved.secondMoment]) {
      if (values.length !== count) {
        throw new TrainingError(
          'training.state-mismatch',
          `${name} has ${values.length} elements in the saved state, ${count} here.`,
        )
      }
    }
  }
  for (const { name, value, firstMoment, secondMoment } of parameters) {
    const saved = state.get(name)
    if (!saved) continue
    gpu.write(value, 0, saved.parameter)
    gpu.write(firstMoment, 0, saved.firstMoment)
    gpu.write(secondMoment, 0, saved.secondMoment)
  }
}
