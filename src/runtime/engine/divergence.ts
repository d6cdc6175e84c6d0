import type { Gpu } from '../../gpu/index.js'
import type { ModelConfig, ModelWeights } from '../model/index.js'
import { computeLogits } from './logits.js'
import { WebGpuEngine } from './webgpu/engine.js'
import type { EngineOptions } from './webgpu/engine-options.js'

/** Log-probabilities of a row of logits, in float64. */
function logSoftmax(logits: Float32Array): Float64Array {
  const largest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0)
  return Float64Array.from(logits, (value) => value - largest - Math.log(sum))
}

/**
 * The mean Kullback-Leibler divergence, in nats, of next-token distributions from others:
 * mean over rows of sum_i p_i (log p_i - log q_i), with p = softmax(expected) and q = softmax(actual).
 * @param expected f32 [rows, vocabulary]
 * @param actual f32 [rows, vocabulary]
 */
export function meanDivergence(expected: Float32Array, actual: Float32Array, vocabulary: number): number {
  let total = 0
  for (let row = 0; row < expected.length; row += vocabulary) {
    const p = logSoftmax(expected.subarray(row, row + vocabulary))
    const q = logSoftmax(actual.subarray(row, row + vocabulary))
    for (let i = 0; i < vocabulary; i++) total += Math.exp(p[i]) * (p[i] - q[i])
  }
  return total / (expected.length / vocabulary)
}

/** How far two ways to compute the same model are apart on a text. */
export interface Divergence {
  readonly tokens: number
  /** The mean Kullback-Leibler divergence of the next-token distributions from those of the first way, in nats. */
  readonly meanDivergence: number
  /** Share of positions at which both think the same token the likeliest. */
  readonly sameTop: number
}

function argmax(row: Float32Array): number {
  return row.indexOf(row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY))
}

/**
 * Compares how prompts are computed with different options of an engine: the logits at every position of `ids`. The
 * buffers of both engines stay until the GPU is disposed of.
 * @param expected what is exact, as `{ activations: 'float' }`
 * @param actual what is compared with it, as `{ activations: 'int8', variants: { prefillProduct: 'int8' } }`
 */
export async function promptDivergence(
  gpu: Gpu,
  config: ModelConfig,
  weights: ModelWeights,
  ids: readonly number[],
  expected: Pick<EngineOptions, 'activations' | 'variants'>,
  actual: Pick<EngineOptions, 'activations' | 'variants'>,
): Promise<Divergence> {
  const logits: Float32Array[] = []
  for (const options of [expected, actual]) {
    const sizes = { contextLength: ids.length, maxSequences: 1 }
    const engine = await WebGpuEngine.create(gpu, config, weights, { ...sizes, ...options })
    logits.push(await computeLogits(engine, ids))
  }
  const [p, q] = logits
  const { vocabulary } = config
  const rows = ids.map((_, row) => row * vocabulary)
  const same = rows.filter(
    (row) => argmax(p.subarray(row, row + vocabulary)) === argmax(q.subarray(row, row + vocabulary)),
  )
  return {
    tokens: ids.length,
    meanDivergence: meanDivergence(p, q, vocabulary),
    sameTop: same.length / ids.length,
  }
}
