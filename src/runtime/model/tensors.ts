import type { ModelConfig } from './config.js'
import { HF_NAMES } from './names/hf.js'
import type { LayerRole } from './names/tensor-names.js'

/** A tensor of a ChatGLM3 checkpoint, by its name there. */
export interface TensorSpec {
  readonly name: string
  /** [out, in] for a matrix. */
  readonly shape: readonly number[]
}

/** The names and shapes of one transformer layer. */
export type LayerTensors = Readonly<Record<Exclude<LayerRole, 'qkvBias'>, TensorSpec>> & {
  readonly qkvBias: TensorSpec | undefined
}

/** The names and shapes of a whole model. */
export interface ModelTensors {
  readonly embedding: TensorSpec
  readonly layers: readonly LayerTensors[]
  readonly finalNorm: TensorSpec
  readonly output: TensorSpec
}

/** Every tensor that a model of this shape needs, in the order of the computation. */
export function modelTensors(config: ModelConfig): ModelTensors {
  const { hidden, ffn, heads, kvGroups, headDim, vocabulary } = config
  const attended = heads * headDim
  const qkv = attended + 2 * kvGroups * headDim
  const layers = Array.from({ length: config.layers }, (_, index): LayerTensors => {
    const names = HF_NAMES.layer(index)
    return {
      inputNorm: { name: names.inputNorm, shape: [hidden] },
      qkv: { name: names.qkv, shape: [qkv, hidden] },
      qkvBias: config.qkvBias ? { name: names.qkvBias, shape: [qkv] } : undefined,
      dense: { name: names.dense, shape: [hidden, attended] },
      postAttentionNorm: { name: names.postAttentionNorm, shape: [hidden] },
      gateUp: { name: names.gateUp, shape: [2 * ffn, hidden] },
      down: { name: names.down, shape: [hidden, ffn] },
    }
  })
  return {
    embedding: { name: HF_NAMES.embedding, shape: [vocabulary, hidden] },
    layers,
    finalNorm: { name: HF_NAMES.finalNorm, shape: [hidden] },
    output: { name: HF_NAMES.output, shape: [vocabulary, hidden] },
  }
}

/** All tensors as a list: matrices have two dimensions, norms and biases one. */
export function tensorList(tensors: ModelTensors): TensorSpec[] {
  const layers = tensors.layers.flatMap((layer) => Object.values(layer) as (TensorSpec | undefined)[])
  const all = [tensors.embedding, ...layers, tensors.finalNorm, tensors.output]
  return all.filter((tensor) => tensor !== undefined)
}
