import { float16ToFloat32 } from '../../checkpoint/index.js'
import { TrainingError } from '../../errors/index.js'
import type { Gpu } from '../../gpu/index.js'
import { compileRoundHalves } from '../../kernels/index.js'
import {
  LAYER,
  type LinearWeight,
  type ModelBase,
  modelTensors,
  type TensorSpec,
} from '../../runtime/model/index.js'
import { type Command, dispatches } from './commands.js'
import type { Parameter, ParameterSpec } from './parameters.js'

/** A weight of the model that is trained. */
export interface ModelParameterSpec extends ParameterSpec {
  /** The weight in the model, f16, which the kernels read: the trained one rounded. */
  readonly rounded: GPUBuffer
}

const once = () => 1

/** The one buffer of a float matrix. */
function bufferOf(gpu: Gpu, { slices }: LinearWeight, { name, shape }: TensorSpec): GPUBuffer {
  const [slice] = slices
  if (slice.format.type !== 'f16') {
    throw new TrainingError(
      'training.untrainable',
      `${name} has ${slice.format.type === 'q4' ? 4 : 8} bits: all weights can only be trained of a model in float16. ` +
        'Load the float checkpoint without quantization, or train a prefix.',
    )
  }
  const bytes = 4 * shape[0] * shape[1]
  const limit = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize)
  if (bytes > limit) {
    throw new TrainingError(
      'training.untrainable',
      `${name} takes ${bytes} bytes in float32, more than the ${limit} that this GPU binds: ` +
        'this model is too large to train all its weights here. Train a prefix.',
    )
  }
  return slice.buffers.weight
}

/**
 * All weights of a model, by the names and in the order of its checkpoint.
 * @throws `training.untrainable`
 */
export function modelParameterSpecs({ gpu, config, weights }: ModelBase): readonly ModelParameterSpec[] {
  const tensors = modelTensors(config)
  const matrix = (spec: TensorSpec, weight: LinearWeight): ModelParameterSpec => ({
    ...spec,
    decays: true,
    rounded: bufferOf(gpu, weight, spec),
  })
  const vector = (spec: TensorSpec, rounded: GPUBuffer): ModelParameterSpec => ({
    ...spec,
    decays: false,
    rounded,
  })
  const layers = tensors.layers.flatMap((names, index) => {
    const layer = weights.layers[index]
    return LAYER.flatMap((operation) => {
      if (operation.kind === 'norm') return vector(names[operation.weight], layer[operation.weight])
      if (operation.kind !== 'linear') return []
      const weight = layer[operation.weight]
      const bias = operation.bias && names[operation.bias]
      return [
        matrix(names[operation.weight], weight),
        ...(bias && weight.bias ? [vector(bias, weight.bias)] : []),
      ]
    })
  })
  return [
    matrix(tensors.embedding, weights.embedding),
    ...layers,
    vector(tensors.finalNorm, weights.finalNorm),
    matrix(tensors.output, weights.output),
  ]
}

/** Gives parameters the values that the model has now. */
export async function takeFromModel(
  gpu: Gpu,
  parameters: readonly (Parameter & ModelParameterSpec)[],
): Promise<void> {
  for (const { rounded, value, count } of parameters) {
    const bytes = await gpu.read(rounded, 0, 4 * Math.ceil(count / 2))
    gpu.write(value, 0, float16ToFloat32(new Uint16Array(bytes, 0, count)))
  }
}

/** The commands that give the model the rounded values of its parameters. */
export async function compileRounding(
  gpu: Gpu,
  parameters: readonly (Parameter & ModelParameterSpec)[],
): Promise<readonly Command[]> {
  const rounding = parameters.map(async ({ name, count, value, rounded }) => {
    const round = await compileRoundHalves(gpu, { count })
    return round.bind(`${name}, rounded`, { x: value, y: rounded })
  })
  return dispatches(once, ...(await Promise.all(rounding)).flat())
}
