import { type Checkpoint, type FloatDType, toFloat32 } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { FLOAT_DTYPES } from './blocks/float.js'
import type { ModelConfig } from './config.js'
import { checkAdapter, findEncoder } from './prefix-names.js'

/** Elements of an encoder's row for this model: keys and values of all layers. */
export function prefixWidth({ layers, kvGroups, headDim }: ModelConfig): number {
  return 2 * layers * kvGroups * headDim
}

/** A tensor of floats of an adapter. @throws `checkpoint.prefix-invalid`, or another code, where one is no number */
export async function readFloats(
  checkpoint: Checkpoint,
  name: string,
  shape: readonly number[],
  signal?: AbortSignal,
  code: 'checkpoint.prefix-invalid' | 'checkpoint.adapter-invalid' = 'checkpoint.prefix-invalid',
): Promise<Float32Array> {
  const tensor = checkpoint.requireTensor(name, { dtype: FLOAT_DTYPES, shape })
  const floats = toFloat32(await checkpoint.read(name, { signal }), tensor.dtype as FloatDType)
  const broken = floats.findIndex((value) => !Number.isFinite(value))
  if (broken >= 0) {
    throw new CheckpointError(
      code,
      `${checkpoint.name}: ${name} holds ${floats[broken]} at element ${broken}; its training diverged.`,
    )
  }
  return floats
}

/** Evaluates the two layers of an encoder with `prefix_projection`. @param names of its tensors begin with this */
export type Projection = (names: string, embedding: Float32Array, width: number) => Promise<Float32Array>

/**
 * Reads the rows of a prefix. Row p holds, for each layer, K of every group and then V of every group (the `view` and
 * `permute` of the official `get_prompt`).
 * @param maxLength the most rows
 * @param project y = tanh(e W0^T + b0) W2^T + b2
 * @returns f32 [P, prefixWidth(config)]
 * @throws `checkpoint.prefix-invalid` when there is none, or it was made for a model of another shape
 */
export async function readPrefixRows(
  checkpoint: Checkpoint,
  config: ModelConfig,
  maxLength: number,
  project: Projection,
  signal?: AbortSignal,
): Promise<Float32Array> {
  await checkAdapter(checkpoint, signal)
  const { embedding, projection } = findEncoder(checkpoint)
  const { shape } = checkpoint.requireTensor(embedding, { dtype: FLOAT_DTYPES })
  const width = prefixWidth(config)
  if (shape.length !== 2 || shape[1] !== width) {
    throw new CheckpointError(
      'checkpoint.prefix-invalid',
      `${checkpoint.name}: ${embedding} has shape [${shape}], but this model (${config.layers} layers, ` +
        `${config.kvGroups} key/value groups of ${config.headDim}) takes rows of ${width}. ` +
        'The prefix was trained on another model.',
    )
  }
  const length = shape[0]
  if (length < 1 || length > maxLength) {
    throw new CheckpointError(
      'checkpoint.prefix-invalid',
      `${checkpoint.name}: the prefix has ${length} rows; the cache has room for 1 to ${maxLength}. ` +
        'Load the model with a larger contextLength.',
    )
  }
  const rows = await readFloats(checkpoint, embedding, [length, width], signal)
  return projection ? project(projection, rows, width) : rows
}
