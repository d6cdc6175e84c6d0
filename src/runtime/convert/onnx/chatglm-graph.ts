import { MICROSOFT, OnnxGraphWriter } from '../../../checkpoint/index.js'
import type { ModelConfig } from '../../model/index.js'
import { blocksOf, type NBitsFormat, zeroBytes } from '../rows/encode-rows.js'

/** What the graph computes with, and how its matrices are stored. */
export interface GraphNumbers {
  /** Of activations, scales, biases, keys, values and logits. */
  readonly activations: 'float16' | 'float32'
  /** Undefined for matrices of float16. */
  readonly blocks: NBitsFormat | undefined
}

/** Names of the graph's inputs and outputs, as onnxruntime-genai writes them. */
export const GRAPH_NAMES = {
  ids: 'input_ids',
  mask: 'attention_mask',
  past: (layer: number, part: 'key' | 'value') => `past_key_values.${layer}.${part}`,
  present: (layer: number, part: 'key' | 'value') => `present.${layer}.${part}`,
  logits: 'logits',
} as const

/** Names of the graph's tensors. */
export const TENSOR_NAMES = {
  embedding: 'embedding.weight',
  cos: 'cos_cache',
  sin: 'sin_cache',
  norm: (name: string) => `${name}.weight`,
  /** The tensors of a matrix: in blocks, or one of floats. */
  blocks: (name: string) => [`${name}.weight`, `${name}.scales`, `${name}.zeros`] as const,
  floats: (name: string) => `${name}.weight`,
  bias: (name: string) => `${name}.bias`,
} as const

/** Names of matrices and norms. */
export const NODE_NAMES = {
  layer: (index: number) => ({
    inputNorm: `layers.${index}.input_norm`,
    qkv: `layers.${index}.qkv`,
    dense: `layers.${index}.dense`,
    postAttentionNorm: `layers.${index}.post_attention_norm`,
    gateUp: `layers.${index}.gate_up`,
    down: `layers.${index}.down`,
  }),
  finalNorm: 'final_norm',
  output: 'output',
} as const

/** Rows of the cache beyond the context, for a prefix: the official one has 128. */
const PREFIX_ROWS = 512

/** Values of the mask above 1 are weights of rows, in units of this. */
export const MASK_WEIGHT_UNIT = 2 ** -40

/** Positions of the rotary table: of the context, behind the longest prefix. */
export function rotaryRows({ maxContextLength }: ModelConfig): number {
  return maxContextLength + PREFIX_ROWS
}

/**
 * The graph of a ChatGLM3 model, with the inputs and outputs that onnxruntime-genai gives such models, so that it runs it:
 * `input_ids` [batch, rows], `attention_mask` [batch, total], keys and values of the past in, those of past and rows out,
 * and `logits` [batch, rows, vocabulary].
 *
 * Row r of the cache is rotated as position r. A mask of ones means what it always does. A value m above 1 weighs the row by
 * m * 2^-40 in every softmax, which adds ln(m * 2^-40) to its scores: a prefix with a strength is such rows.
 */
export function chatglmGraph(config: ModelConfig, numbers: GraphNumbers): OnnxGraphWriter {
  return new ChatGLMGraph(config, numbers).build()
}

class ChatGLMGraph {
  readonly #config: ModelConfig
  readonly #numbers: GraphNumbers
  readonly #graph = new OnnxGraphWriter()

  constructor(config: ModelConfig, numbers: GraphNumbers) {
    this.#config = config
    this.#numbers = numbers
  }

  build(): OnnxGraphWriter {
    const { layers, hidden, vocabulary, epsilon } = this.#config
    const { activations } = this.#numbers
    const graph = this.#graph
    graph.input(GRAPH_NAMES.ids, 'int64', ['batch_size', 'sequence_length'])
    graph.input(GRAPH_NAMES.mask, 'int64', ['batch_size', 'total_sequence_length'])
    graph.output(GRAPH_NAMES.logits, activations, ['batch_size', 'sequence_length', vocabulary])
    // Not float16 with a cast behind it: adapters without `shader-f16` cannot even look it up.
    const table = graph.external(TENSOR_NAMES.embedding, this.#float, [vocabulary, hidden])
    graph.node('Gather', [table, GRAPH_NAMES.ids], ['embedded'], { axis: 0 })
    const attention = this.#attentionInputs()
    let residual = 'embedded'
    const first = NODE_NAMES.layer(0).inputNorm
    let normed = graph.node('SimplifiedLayerNormalization', [residual, this.#norm(first)], [first], {
      axis: -1,
      epsilon: { float: epsilon },
      stash_type: 1,
    })
    for (let index = 0; index < layers; index++) {
      const names = NODE_NAMES.layer(index)
      const attended = this.#attention(index, normed, attention)
      const middle = this.#skipNorm(names.postAttentionNorm, attended, residual)
      const added = this.#feedForward(index, middle.normed)
      const nextNorm = index + 1 < layers ? NODE_NAMES.layer(index + 1).inputNorm : NODE_NAMES.finalNorm
      const next = this.#skipNorm(nextNorm, added, middle.sum)
      normed = next.normed
      residual = next.sum
    }
    this.#linear(NODE_NAMES.output, normed, vocabulary, hidden, GRAPH_NAMES.logits)
    return graph
  }

  get #float(): 'F16' | 'F32' {
    return this.#numbers.activations === 'float16' ? 'F16' : 'F32'
  }

  #cast(from: string, element: 'float16' | 'float32' | 'int32' | 'int64', to: string): string {
    const number = { float32: 1, int32: 6, int64: 7, float16: 10 }[element]
    return this.#graph.node('Cast', [from], [to], { to: number })
  }

  /** What attention is told of the rows in the cache: the names of its last inputs. */
  #attentionInputs(): readonly string[] {
    const graph = this.#graph
    const mask = GRAPH_NAMES.mask
    const { headDim } = this.#config
    const zero = graph.integers('zero', [0], [])
    const one = graph.integers('one', [1], [])
    const dimensions = graph.integers('dimensions_1_2', [1, 2])
    const lastDimension = graph.integers('dimension_1', [1])
    const seen = this.#cast(graph.node('Greater', [mask, zero], ['is_row']), 'int64', 'is_row.i64')
    const rows = graph.node('ReduceSum', [seen, lastDimension], ['rows'], { keepdims: 0 })
    const lengths = this.#cast(graph.node('Sub', [rows, one], ['rows_before_last']), 'int32', 'seqlens_k')
    const shape = graph.node('Shape', [mask], ['mask.shape'])
    const total = this.#cast(graph.node('Gather', [shape, one], ['total']), 'int32', 'total_sequence_length')

    const weights = graph.node(
      'Mul',
      [this.#cast(mask, 'float32', 'mask.f32'), graph.number('weight_unit', MASK_WEIGHT_UNIT)],
      ['row_weights'],
    )
    const weighs = graph.node('Greater', [mask, one], ['is_weighted'])
    const scores = graph.node(
      'Where',
      [weighs, graph.node('Log', [weights], ['row_weights.log']), graph.number('no_bias', 0)],
      ['row_bias'],
    )
    const bias = graph.node(
      'Unsqueeze',
      [
        this.#numbers.activations === 'float16' ? this.#cast(scores, 'float16', 'row_bias.f16') : scores,
        dimensions,
      ],
      ['row_bias.4d'],
    )
    const idsShape = graph.node('Shape', [GRAPH_NAMES.ids], ['ids.shape'])
    const counts = graph.node(
      'Concat',
      [
        graph.integers('ones', [1, 1]),
        graph.node('Slice', [idsShape, lastDimension, graph.integers('dimension_2', [2])], ['row_count']),
        lastDimension,
      ],
      ['bias.shape'],
      { axis: 0 },
    )
    const expanded = graph.node('Expand', [bias, counts], ['attention_bias'])

    const pairs = [rotaryRows(this.#config), headDim / 4]
    const cos = graph.external(TENSOR_NAMES.cos, this.#float, pairs)
    const sin = graph.external(TENSOR_NAMES.sin, this.#float, pairs)
    return [lengths, total, cos, sin, '', expanded]
  }

  #norm(name: string): string {
    return this.#graph.external(TENSOR_NAMES.norm(name), this.#float, [this.#config.hidden])
  }

  /** The norm of x + residual, and the sum. */
  #skipNorm(name: string, x: string, residual: string): { normed: string; sum: string } {
    const sum = `${name}.sum`
    const normed = this.#graph.node(
      'SkipSimplifiedLayerNormalization',
      [x, residual, this.#norm(name)],
      [name, '', '', sum],
      { epsilon: { float: this.#config.epsilon } },
      MICROSOFT,
    )
    return { normed, sum }
  }

  /** x W^T for x [batch, rows, inFeatures] and W [outFeatures, inFeatures]. */
  #linear(name: string, x: string, outFeatures: number, inFeatures: number, y = name): string {
    const { blocks } = this.#numbers
    if (!blocks) return this.#floatLinear(name, x, outFeatures, inFeatures, y)
    const graph = this.#graph
    const { bits, blockSize } = blocks
    const count = blocksOf(inFeatures, blocks)
    const [weight, scales, zeros] = TENSOR_NAMES.blocks(name)
    graph.external(weight, 'U8', [outFeatures, count, (blockSize * bits) / 8])
    graph.external(scales, this.#float, [outFeatures * count])
    graph.external(zeros, 'U8', [outFeatures * zeroBytes(inFeatures, blocks)])
    const attributes = { K: inFeatures, N: outFeatures, bits, block_size: blockSize }
    return graph.node('MatMulNBits', [x, weight, scales, zeros], [y], attributes, MICROSOFT)
  }

  /** The same with float16 weights, whose rows stay as they are: `Gemm` takes the transpose, but only matrices. */
  #floatLinear(name: string, x: string, outFeatures: number, inFeatures: number, y: string): string {
    const graph = this.#graph
    const weight = graph.external(TENSOR_NAMES.floats(name), this.#float, [outFeatures, inFeatures])
    const flat = graph.node('Reshape', [x, graph.integers(`${name}.flat`, [-1, inFeatures])], [`${name}.x`])
    const product = graph.node('Gemm', [flat, weight], [`${name}.product`], { transB: 1 })
    const out = graph.integers(`${name}.columns`, [outFeatures])
    const shape = graph.node('Concat', ['ids.shape', out], [`${name}.shape`], { axis: 0 })
    return graph.node('Reshape', [product, shape], [y])
  }

  #attention(index: number, x: string, attentionInputs: readonly string[]): string {
    const { heads, kvGroups, headDim, hidden, qkvBias } = this.#config
    const graph = this.#graph
    const names = NODE_NAMES.layer(index)
    const width = (heads + 2 * kvGroups) * headDim
    let qkv = this.#linear(names.qkv, x, width, hidden)
    if (qkvBias) {
      const bias = graph.external(TENSOR_NAMES.bias(names.qkv), this.#float, [width])
      qkv = graph.node('Add', [qkv, bias], [`${names.qkv}.biased`])
    }
    const parts = ['key', 'value'] as const
    const past = parts.map((part) =>
      graph.input(GRAPH_NAMES.past(index, part), this.#numbers.activations, [
        'batch_size',
        kvGroups,
        'past_sequence_length',
        headDim,
      ]),
    )
    const present = parts.map((part) => GRAPH_NAMES.present(index, part))
    for (const name of present) {
      graph.output(name, this.#numbers.activations, [
        'batch_size',
        kvGroups,
        'total_sequence_length',
        headDim,
      ])
    }
    const attended = graph.node(
      'GroupQueryAttention',
      [qkv, '', '', ...past, ...attentionInputs],
      [`layers.${index}.attended`, ...present],
      {
        num_heads: heads,
        kv_num_heads: kvGroups,
        scale: { float: 1 / Math.sqrt(headDim) },
        do_rotary: 1,
        rotary_interleaved: 1,
      },
      MICROSOFT,
    )
    return this.#linear(names.dense, attended, hidden, heads * headDim)
  }

  #feedForward(index: number, x: string): string {
    const { hidden, ffn } = this.#config
    const graph = this.#graph
    const names = NODE_NAMES.layer(index)
    const both = this.#linear(names.gateUp, x, 2 * ffn, hidden)
    const [gate, up] = [`layers.${index}.gate`, `layers.${index}.up`]
    graph.node('Split', [both], [gate, up], { axis: -1, num_outputs: 2 })
    const sigmoid = graph.node('Sigmoid', [gate], [`${gate}.sigmoid`])
    const activated = graph.node(
      'Mul',
      [graph.node('Mul', [gate, sigmoid], [`${gate}.silu`]), up],
      [`layers.${index}.activated`],
    )
    return this.#linear(names.down, activated, hidden, ffn)
  }
}
