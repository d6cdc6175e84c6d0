import { describe, expect, it } from 'vitest'
import type { ModelConfig } from './config.js'
import { activationWidths, FINAL_NORM, LAYER, LAYER_PRODUCTS, OUTPUT } from './network.js'
import { modelTensors, tensorList } from './tensors.js'

const CONFIG: ModelConfig = {
  layers: 2,
  hidden: 4096,
  ffn: 13_696,
  heads: 32,
  kvGroups: 2,
  headDim: 128,
  vocabulary: 65_024,
  maxContextLength: 8192,
  ropeBase: 10_000,
  epsilon: 1e-5,
  qkvBias: true,
}

describe('the network', () => {
  it('reads nothing that was not written before', () => {
    const written = new Set<string>(['hidden'])
    for (const operation of [...LAYER, FINAL_NORM, OUTPUT]) {
      expect(written).toContain(operation.x)
      if ('y' in operation) written.add(operation.y)
    }
    expect(written).toEqual(new Set(Object.keys(activationWidths(CONFIG))))
  })

  it('adds to the residual stream, and writes over everything else', () => {
    for (const operation of LAYER) {
      if (operation.kind === 'linear') expect(operation.adds).toBe(operation.y === 'hidden')
    }
  })

  it('has the tensors of the official checkpoint, in the order of the computation', () => {
    const tensors = tensorList(modelTensors(CONFIG)).map(({ name, shape }) => `${name} ${shape.join('x')}`)
    const layer = (index: number) => [
      `transformer.encoder.layers.${index}.input_layernorm.weight 4096`,
      `transformer.encoder.layers.${index}.self_attention.query_key_value.weight 4608x4096`,
      `transformer.encoder.layers.${index}.self_attention.query_key_value.bias 4608`,
      `transformer.encoder.layers.${index}.self_attention.dense.weight 4096x4096`,
      `transformer.encoder.layers.${index}.post_attention_layernorm.weight 4096`,
      `transformer.encoder.layers.${index}.mlp.dense_h_to_4h.weight 27392x4096`,
      `transformer.encoder.layers.${index}.mlp.dense_4h_to_h.weight 4096x13696`,
    ]
    expect(tensors).toEqual([
      'transformer.embedding.word_embeddings.weight 65024x4096',
      ...layer(0),
      ...layer(1),
      'transformer.encoder.final_layernorm.weight 4096',
      'transformer.output_layer.weight 65024x4096',
    ])
    expect(LAYER_PRODUCTS.map(({ weight }) => weight)).toEqual(['qkv', 'dense', 'gateUp', 'down'])
  })
})
