import type { FloatDType } from '../../../checkpoint/index.js'
import { type Checkpoint, toFloat32 } from '../../../checkpoint/index.js'
import {
  type AdapterHandle,
  FLOAT_DTYPES,
  type ModelConfig,
  readFloats,
  readPrefixRows,
} from '../../model/index.js'
import type { GraphRotation } from './model-files.js'

/** A prefix on the host, as rows of the cache that a graph takes. */
export interface HostPrefix extends AdapterHandle {
  readonly kind: 'prefix'
  /** For each layer keys and values, f32 [kvGroups, P, headDim]. */
  readonly layers: readonly { readonly key: Float32Array; readonly value: Float32Array }[]
}

/**
 * Loads a prefix for a graph.
 *
 * A graph that rotates by itself turns the token of position p, in row P + p, by the angle of P + p, and a key of the
 * prefix was learnt unrotated for position p. Turned once by the angle of P it meets the same queries: with R_a for the turn by
 * a, (R_(P+p) q) . (R_P k) = (R_p q) . k; and between tokens only differences count.
 * @param maxLength the most rows
 * @throws `checkpoint.prefix-invalid`
 */
export async function loadHostPrefix(
  checkpoint: Checkpoint,
  config: ModelConfig,
  rotation: GraphRotation | undefined,
  maxLength: number,
  signal?: AbortSignal,
): Promise<HostPrefix> {
  const onHost = (names: string, embedding: Float32Array, width: number) =>
    project(checkpoint, names, embedding, width, signal)
  const rows = await readPrefixRows(checkpoint, config, maxLength, onHost, signal)
  const { kvGroups, headDim } = config
  const slab = kvGroups * headDim
  const width = 2 * config.layers * slab
  const length = rows.length / width
  const part = (index: number) => {
    const values = new Float32Array(length * slab)
    for (let row = 0; row < length; row++) {
      for (let group = 0; group < kvGroups; group++) {
        const from = row * width + index * slab + group * headDim
        values.set(rows.subarray(from, from + headDim), (group * length + row) * headDim)
      }
    }
    return values
  }
  const layers = Array.from({ length: config.layers }, (_, layer) => ({
    key: part(2 * layer),
    value: part(2 * layer + 1),
  }))
  if (rotation) {
    const angle = await rotation.read(length)
    for (const { key } of layers) rotate(key, headDim, angle, rotation.interleaved)
  }
  return { kind: 'prefix', name: checkpoint.name, length, layers }
}

/** Turns the first elements of every head, in place. @param heads f32 [any, headDim] */
export function rotate(
  heads: Float32Array,
  headDim: number,
  { cos, sin }: { readonly cos: Float32Array; readonly sin: Float32Array },
  interleaved: boolean,
): void {
  const pairs = cos.length
  for (let head = 0; head < heads.length; head += headDim) {
    for (let i = 0; i < pairs; i++) {
      const first = head + (interleaved ? 2 * i : i)
      const second = first + (interleaved ? 1 : pairs)
      const [x, y] = [heads[first], heads[second]]
      heads[first] = x * cos[i] - y * sin[i]
      heads[second] = y * cos[i] + x * sin[i]
    }
  }
}

/** y = tanh(e W0^T + b0) W2^T + b2, for an encoder with `prefix_projection`. Rows of the weights are read one after the other. */
async function project(
  checkpoint: Checkpoint,
  names: string,
  embedding: Float32Array,
  width: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const inner = checkpoint.requireTensor(`${names}0.weight`).shape[0]
  const hidden = await linear(checkpoint, `${names}0`, embedding, width, inner, signal)
  return linear(checkpoint, `${names}2`, hidden.map(Math.tanh), inner, width, signal)
}

/** Bytes of a weight that are read at a time. */
const WEIGHT_BYTES = 16 * 2 ** 20

async function linear(
  checkpoint: Checkpoint,
  name: string,
  x: Float32Array,
  inFeatures: number,
  outFeatures: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const shape = [outFeatures, inFeatures]
  const { dtype, byteLength } = checkpoint.requireTensor(`${name}.weight`, { dtype: FLOAT_DTYPES, shape })
  const bias = await readFloats(checkpoint, `${name}.bias`, [outFeatures], signal)
  const rows = x.length / inFeatures
  const y = new Float32Array(rows * outFeatures)
  const rowBytes = byteLength / outFeatures
  const step = Math.max(1, Math.floor(WEIGHT_BYTES / rowBytes))
  for (let first = 0; first < outFeatures; first += step) {
    const end = Math.min(outFeatures, first + step)
    const bytes = await checkpoint.readRange(`${name}.weight`, first * rowBytes, end * rowBytes, {
      ...(signal && { signal }),
    })
    const weight = toFloat32(bytes, dtype as FloatDType)
    for (let out = first; out < end; out++) {
      const at = (out - first) * inFeatures
      for (let row = 0; row < rows; row++) {
        let sum = bias[out]
        for (let i = 0; i < inFeatures; i++) sum += x[row * inFeatures + i] * weight[at + i]
        y[row * outFeatures + out] = sum
      }
    }
  }
  return y
}
