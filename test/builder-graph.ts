/** ONNX models in the layout of onnxruntime-genai's builder (`builders/chatglm.py`), written for tests. */
import { MemoryFiles, MICROSOFT, OnnxGraphWriter, writeFile } from '../src/checkpoint/index.js'
import { ropeTable } from '../src/kernels/index.js'
import { BlockQuantizer } from '../src/runtime/convert/rows/block-quantizer.js'
import type { ModelConfig } from '../src/runtime/model/config.js'
import { modelTensors, type TensorSpec } from '../src/runtime/model/tensors.js'
import { chatglmSentencePieceModel, writeSentencePieceModel } from '../src/tokenizer/index.js'
import { ReferenceModel } from './reference-model.js'

const BLOCK = 32
const FLOAT = 'float32'
/** The builder's tables have so many rows, whatever the model's context is. */
const ROTARY_ROWS = 8192

/** A folder with a model, and the float64 model of exactly its weights. */
export interface BuilderModel {
  readonly folder: MemoryFiles
  readonly reference: ReferenceModel
}

/**
 * Writes a model as the builder does: no `position_ids`, no `config.json`, all tensors in `model.onnx.data`.
 * @param model whose weights it gets
 * @param precision of its matrices: `MatMul`, or `MatMulNBits` of 4 bits without zeros, which then are 8
 */
export async function builderModel(
  model: ReferenceModel,
  precision: 'float32' | 'int4',
): Promise<BuilderModel> {
  const { config } = model
  const builder = new Builder(model, precision)
  const { graph, data } = builder.build()
  const folder = new MemoryFiles([], `builder ${precision}`)
  await writeFile(folder, 'model.onnx', graph)
  await writeFile(folder, 'model.onnx.data', data)
  await writeFile(folder, 'genai_config.json', new TextEncoder().encode(JSON.stringify(settings(config))))
  const pieces = [...'▁eaton你好世界', '▁a', 'on', '你好']
  await writeFile(folder, 'tokenizer.model', writeSentencePieceModel(chatglmSentencePieceModel(pieces)))
  return { folder, reference: ReferenceModel.of(config, builder.weights) }
}

const settings = (config: ModelConfig) => ({
  model: {
    type: 'chatglm',
    vocab_size: config.vocabulary,
    context_length: config.maxContextLength,
    decoder: {
      filename: 'model.onnx',
      head_size: config.headDim,
      hidden_size: config.hidden,
      num_attention_heads: config.heads,
      num_hidden_layers: config.layers,
      num_key_value_heads: config.kvGroups,
    },
  },
})

class Builder {
  /** What the matrices stand for, by the official names. */
  readonly weights = new Map<string, Float32Array>()
  readonly #model: ReferenceModel
  readonly #precision: 'float32' | 'int4'
  readonly #graph = new OnnxGraphWriter()
  readonly #bytes = new Map<string, Uint8Array>()

  constructor(model: ReferenceModel, precision: 'float32' | 'int4') {
    this.#model = model
    this.#precision = precision
  }

  build(): { graph: Uint8Array; data: Uint8Array } {
    const { layers, vocabulary, epsilon, kvGroups, headDim, ropeBase } = this.#model.config
    const graph = this.#graph
    const tensors = modelTensors(this.#model.config)
    graph.input('input_ids', 'int64', ['batch_size', 'sequence_length'])
    graph.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length'])
    graph.output('logits', FLOAT, ['batch_size', 'sequence_length', vocabulary])
    const one = graph.integers('/model/constants/INT64/1', [1], [])
    const axis = graph.integers('/model/constants/INT64/[1]', [1])
    const sum = graph.node('ReduceSum', ['attention_mask', axis], ['mask/ReduceSum'], { keepdims: 0 })
    const lengths = graph.node('Cast', [graph.node('Sub', [sum, one], ['mask/Sub'])], ['mask/seqlens_k'], {
      to: 6,
    })
    const size = graph.node('Shape', ['attention_mask'], ['mask/Shape'])
    const total = graph.node('Cast', [graph.node('Gather', [size, one], ['mask/Gather'])], ['mask/total'], {
      to: 6,
    })
    const table = ropeTable(ROTARY_ROWS, headDim, ropeBase)
    const rotary = ['cos_cache', 'sin_cache'].map((name, part) =>
      this.#floats(
        name,
        table.filter((_, i) => i % 2 === part),
        [ROTARY_ROWS, headDim / 4],
      ),
    )
    const embedding = this.#stored(tensors.embedding, 'model.embed_tokens.weight')
    let residual = graph.node('Gather', [embedding, 'input_ids'], ['/model/embed_tokens/Gather'])
    const norm = this.#stored(tensors.layers[0].inputNorm, 'model.layers.0.input_layernorm.weight')
    let normed = graph.node(
      'SimplifiedLayerNormalization',
      [residual, norm],
      ['/model/layers.0/input_layernorm'],
      { axis: -1, epsilon: { float: epsilon }, stash_type: 1 },
    )
    const skip = (spec: TensorSpec, x: string, name: string) => {
      const weight = this.#stored(spec, `${name}.weight`)
      const inputs = [x, residual, weight]
      residual = `${name}/sum`
      const attributes = { epsilon: { float: epsilon } }
      return graph.node(
        'SkipSimplifiedLayerNormalization',
        inputs,
        [`${name}/out`, '', '', residual],
        attributes,
        MICROSOFT,
      )
    }
    for (const [index, layer] of tensors.layers.entries()) {
      const name = `/model/layers.${index}`
      const qkv = this.#matmul(layer.qkv, `${name}/attn/qkv_proj`, normed)
      const bias = this.#stored(layer.qkvBias!, `${name}.attn.qkv_proj.bias`)
      const added = graph.node('Add', [qkv, bias], [`${name}/attn/qkv_proj/Add`])
      const cache = ['key', 'value'].map((part) => {
        const sizes = ['batch_size', kvGroups, 'past_sequence_length', headDim]
        graph.output(`present.${index}.${part}`, FLOAT, ['batch_size', kvGroups, 'total', headDim])
        return graph.input(`past_key_values.${index}.${part}`, FLOAT, sizes)
      })
      const attended = graph.node(
        'GroupQueryAttention',
        [added, '', '', ...cache, lengths, total, ...rotary],
        [`${name}/attn/GroupQueryAttention`, `present.${index}.key`, `present.${index}.value`],
        {
          num_heads: this.#model.config.heads,
          kv_num_heads: kvGroups,
          scale: { float: headDim ** -0.5 },
          do_rotary: 1,
          rotary_interleaved: 1,
        },
        MICROSOFT,
      )
      const dense = this.#matmul(layer.dense, `${name}/attn/o_proj`, attended)
      const middle = skip(layer.postAttentionNorm, dense, `${name}/post_attention_layernorm`)
      const [gate, up] = this.#gateUp(layer.gateUp, name, middle)
      const sigmoid = graph.node('Sigmoid', [gate], [`${name}/mlp/act_fn/Sigmoid`])
      const silu = graph.node('Mul', [gate, sigmoid], [`${name}/mlp/act_fn/Mul`])
      const activated = graph.node('Mul', [silu, up], [`${name}/mlp/Mul`])
      const down = this.#matmul(layer.down, `${name}/mlp/down_proj`, activated)
      const next = tensors.layers[index + 1]?.inputNorm ?? tensors.finalNorm
      normed = skip(
        next,
        down,
        `/model/layers.${index + 1}/${index + 1 < layers ? 'input' : 'final_norm'}_layernorm`,
      )
    }
    this.#matmul(tensors.output, '/lm_head', normed, 'logits')
    return this.#encode()
  }

  /** The builder has the two halves of the official matrix as matrices of their own. */
  #gateUp(spec: TensorSpec, layer: string, x: string): readonly string[] {
    const [rows, columns] = spec.shape
    const whole = this.#model.weight(spec)
    const half = whole.length / 2
    const parts = ['gate_proj', 'up_proj'].map((name, part) => {
      const own = { name: `${spec.name}/${name}`, shape: [rows / 2, columns] }
      const values = whole.subarray(part * half, (part + 1) * half)
      return { own, y: this.#matmul(own, `${layer}/mlp/${name}`, x, undefined, values) }
    })
    const stored = new Float32Array(whole.length)
    parts.forEach(({ own }, part) => {
      stored.set(this.weights.get(own.name)!, part * half)
    })
    this.weights.set(spec.name, stored)
    return parts.map(({ y }) => y)
  }

  #matmul(
    spec: TensorSpec,
    name: string,
    x: string,
    y = `${name}/MatMul`,
    values = this.#model.weight(spec),
  ): string {
    const [out, columns] = spec.shape
    if (this.#precision === 'float32') {
      const transposed = Float32Array.from(
        values,
        (_, i) => values[(i % out) * columns + Math.floor(i / out)],
      )
      this.weights.set(spec.name, values)
      return this.#graph.node('MatMul', [x, this.#floats(`${name}.weight`, transposed, [columns, out])], [y])
    }
    const blocks = columns / BLOCK
    const quantizer = new BlockQuantizer({ bits: 4, blockSize: BLOCK, zero: 'middle' })
    const packed = new Uint8Array(values.length / 2)
    const scales = new Float32Array(out * blocks)
    const stored = new Float32Array(values.length)
    for (let block = 0; block < scales.length; block++) {
      const at = block * BLOCK
      quantizer.fit(values, at, at + BLOCK, 0, 0)
      quantizer.integers.forEach((q, i) => {
        packed[(at + i) >> 1] |= q << ((i & 1) * 4)
        stored[at + i] = quantizer.scale * (q - 8)
      })
      scales[block] = quantizer.scale
    }
    this.weights.set(spec.name, stored)
    const weight = this.#external(`${name}.qweight`, 'U8', [out, blocks, BLOCK / 2], packed)
    return this.#graph.node(
      'MatMulNBits',
      [x, weight, this.#floats(`${name}.scales`, scales, [out * blocks])],
      [y],
      { K: columns, N: out, bits: 4, block_size: BLOCK },
      MICROSOFT,
    )
  }

  /** A tensor that stays as it is. */
  #stored(spec: TensorSpec, name: string): string {
    const values = this.#model.weight(spec)
    this.weights.set(spec.name, values)
    return this.#floats(name, values, spec.shape)
  }

  #floats(name: string, values: Float32Array, shape: readonly number[]): string {
    return this.#external(name, 'F32', shape, new Uint8Array(values.slice().buffer))
  }

  #external(name: string, dtype: 'F32' | 'U8', shape: readonly number[], bytes: Uint8Array): string {
    this.#bytes.set(name, bytes)
    return this.#graph.external(name, dtype, shape)
  }

  #encode(): { graph: Uint8Array; data: Uint8Array } {
    const places = new Map<string, number>()
    let end = 0
    for (const [name, { byteLength }] of this.#bytes) {
      places.set(name, end)
      end += Math.ceil(byteLength / 64) * 64
    }
    const data = new Uint8Array(end)
    for (const [name, bytes] of this.#bytes) data.set(bytes, places.get(name))
    const graph = this.#graph.encode('main_graph', ({ name }) => ({
      file: 'model.onnx.data',
      offset: places.get(name)!,
      byteLength: this.#bytes.get(name)!.byteLength,
    }))
    return { graph, data }
  }
}
