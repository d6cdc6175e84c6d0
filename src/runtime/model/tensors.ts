import type { ModelConfig } from './config.js'
import { HF_NAMES } from './names/hf.js'
import type { LayerRole } from './names/tensor-names.js'
import { activationWidths, LAYER } from './network.js'

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

function layerTensors(config: ModelConfig, names: Readonly<Record<LayerRole, string>>): LayerTensors {
  const widths = activationWidths(config)
  const tensors: Partial<Record<LayerRole, TensorSpec | undefined>> = {}
  for (const operation of LAYER) {
    if (operation.kind === 'norm') {
      tensors[operation.weight] = { name: names[operation.weight], shape: [widths[operation.x]] }
    } else if (operation.kind === 'linear') {
      const { weight, bias, x, y } = operation
      tensors[weight] = { name: names[weight], shape: [widths[y], widths[x]] }
      if (bias) tensors[bias] = config.qkvBias ? { name: names[bias], shape: [widths[y]] } : undefined
    }
  }
  return tensors as LayerTensors
}

/** Every tensor that a model of this shape needs, in the order of the computation. */
export function modelTensors(config: ModelConfig): ModelTensors {
  const { layers, hidden, vocabulary } = config
  return {
    embedding: { name: HF_NAMES.embedding, shape: [vocabulary, hidden] },
    layers: Array.from({ length: layers }, (_, index) => layerTensors(config, HF_NAMES.layer(index))),
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
