import { type ModelConfig, packHalves, ropeTable } from '../common/internals.js'
import { ELEMENT, GraphBuilder, MICROSOFT } from './onnx-format.js'

/** How the graph's numbers are stored. */
export interface GraphNumbers {
  /** f32 where the adapter has no shader-f16. */
  readonly activations: 'float16' | 'float32'
  readonly groupSize: number
}

/** A file of random contents that many tensors share. */
export interface SharedFile {
  readonly name: string
  readonly kind: 'bits' | 'weights' | 'norms'
  byteLength: number
}

/** A graph, and the files that its tensors lie in. */
export interface OnnxGraph {
  readonly model: Uint8Array
  readonly files: readonly SharedFile[]
}

const BITS = 4
const ELEMENT_BYTES = { float16: 2, float32: 4 }

/** Writes a model of ChatGLM3's shape with the operators that generators of ONNX models write for WebGPU. */
class OnnxModel {
  readonly #config: ModelConfig
  readonly #numbers: GraphNumbers
  readonly #graph = new GraphBuilder()
  readonly #files: Record<SharedFile['kind'], SharedFile> = {
    bits: { name: 'bits.bin', kind: 'bits', byteLength: 0 },
    weights: { name: 'weights.bin', kind: 'weights', byteLength: 0 },
    norms: { name: 'norms.bin', kind: 'norms', byteLength: 0 },
  }

  constructor(config: ModelConfig, numbers: GraphNumbers) {
    this.#config = config
    this.#numbers = numbers
  }

  get #type() {
    return ELEMENT[this.#numbers.activations]
  }

  #shared(kind: SharedFile['kind'], name: string, type: 1 | 2 | 10, dims: readonly number[]): string {
    const size = type === ELEMENT.uint8 ? 1 : ELEMENT_BYTES[this.#numbers.activations]
    const bytes = dims.reduce((product, dim) => product * dim, size)
    const file = this.#files[kind]
    file.byteLength = Math.max(file.byteLength, bytes)
    return this.#graph.external(name, type, dims, file.name, bytes)
  }

  #norm(name: string): string {
    return this.#shared('norms', `${name}.weight`, this.#type, [this.#config.hidden])
  }

  /** x * w^T with a 4-bit weight. */
  #linear(name: string, x: string, outFeatures: number, inFeatures: number, bias = false): string {
    const { groupSize } = this.#numbers
    const groups = inFeatures / groupSize
    const weight = this.#shared('bits', `${name}.qweight`, ELEMENT.uint8, [
      outFeatures,
      groups,
      (groupSize * BITS) / 8,
    ])
    const scales = this.#shared('weights', `${name}.scales`, this.#type, [outFeatures, groups])
    const attributes = { K: inFeatures, N: outFeatures, bits: BITS, block_size: groupSize, accuracy_level: 4 }
    const y = this.#graph.node('MatMulNBits', [x, weight, scales], [`${name}.out`], attributes, MICROSOFT)
    if (!bias) return y
    const added = this.#shared('weights', `${name}.bias`, this.#type, [outFeatures])
    return this.#graph.node('Add', [y, added], [`${name}.biased`])
  }

  /** cos and sin [positions, headDim / 4], apart as the operator wants them. */
  #ropeCaches(): readonly [string, string] {
    const { maxContextLength, headDim, ropeBase } = this.#config
    const table = ropeTable(maxContextLength, headDim, ropeBase)
    const half = (part: number) => table.filter((_, index) => index % 2 === part)
    const bytes = (values: Float32Array) =>
      new Uint8Array((this.#numbers.activations === 'float16' ? packHalves(values) : values.slice()).buffer)
    const dims = [maxContextLength, headDim / 4]
    return [
      this.#graph.constant('cos_cache', this.#type, dims, bytes(half(0))),
      this.#graph.constant('sin_cache', this.#type, dims, bytes(half(1))),
    ]
  }

  #attention(name: string, x: string, index: number, rope: readonly [string, string]): string {
    const { heads, kvGroups, headDim, hidden } = this.#config
    const graph = this.#graph
    const [queries, keys] = [heads * headDim, kvGroups * headDim]
    const qkv = this.#linear(`${name}.qkv`, x, queries + 2 * keys, hidden, true)
    const [q, k, v] = ['q', 'k', 'v'].map((part) => `${name}.${part}`)
    graph.node('Split', [qkv, 'qkv_sizes'], [q, k, v], { axis: -1 })
    const turned = [q, k].map((part, isKey) =>
      graph.node(
        'RotaryEmbedding',
        [part, 'position_ids', ...rope],
        [`${part}.turned`],
        { interleaved: 1, num_heads: isKey ? kvGroups : heads, rotary_embedding_dim: headDim / 2 },
        MICROSOFT,
      ),
    )
    const cache = ['key', 'value'].map((part) => `past.${index}.${part}`)
    const present = ['key', 'value'].map((part) => `present.${index}.${part}`)
    for (const part of cache) graph.input(part, this.#type, [1, kvGroups, 'past', headDim])
    for (const part of present) graph.output(part, this.#type, [1, kvGroups, 'total', headDim])
    const attended = graph.node(
      'GroupQueryAttention',
      [...turned, v, ...cache, 'seqlens_k', 'total_length'],
      [`${name}.attended`, ...present],
      { num_heads: heads, kv_num_heads: kvGroups, do_rotary: 0 },
      MICROSOFT,
    )
    return this.#linear(`${name}.dense`, attended, hidden, queries)
  }

  #feedForward(name: string, x: string): string {
    const { hidden, ffn } = this.#config
    const graph = this.#graph
    const both = this.#linear(`${name}.gate_up`, x, 2 * ffn, hidden)
    const [gate, up] = [`${name}.gate`, `${name}.up`]
    graph.node('Split', [both, 'ffn_sizes'], [gate, up], { axis: -1 })
    const sigmoid = graph.node('Sigmoid', [gate], [`${name}.sigmoid`])
    const silu = graph.node('Mul', [gate, sigmoid], [`${name}.silu`])
    const activated = graph.node('Mul', [silu, up], [`${name}.activated`])
    return this.#linear(`${name}.down`, activated, hidden, ffn)
  }

  /** The norm of x + residual, and the sum. */
  #skipNorm(name: string, x: string, residual: string): { normed: string; sum: string } {
    const [normed, sum] = [`${name}.normed`, `${name}.sum`]
    this.#graph.node(
      'SkipSimplifiedLayerNormalization',
      [x, residual, this.#norm(name)],
      [normed, '', '', sum],
      { epsilon: { float: this.#config.epsilon } },
      MICROSOFT,
    )
    return { normed, sum }
  }

  build(): OnnxGraph {
    const { layers, hidden, ffn, heads, kvGroups, headDim, vocabulary, epsilon } = this.#config
    const graph = this.#graph
    graph.input('ids', ELEMENT.int64, [1, 'rows'])
    graph.input('position_ids', ELEMENT.int64, [1, 'rows'])
    graph.input('seqlens_k', ELEMENT.int32, [1])
    graph.input('total_length', ELEMENT.int32, [])
    const int64 = (name: string, values: readonly number[], dims: readonly number[] = [values.length]) =>
      graph.constant(name, ELEMENT.int64, dims, new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer))
    int64('qkv_sizes', [heads * headDim, kvGroups * headDim, kvGroups * headDim])
    int64('ffn_sizes', [ffn, ffn])
    int64('last', [-1], [])
    const rope = this.#ropeCaches()

    const table = this.#shared('weights', 'embedding', this.#type, [vocabulary, hidden])
    let residual = graph.node('Gather', [table, 'ids'], ['embedded'], { axis: 0 })
    let normed = graph.node(
      'SimplifiedLayerNormalization',
      [residual, this.#norm('first')],
      ['first.normed'],
      {
        axis: -1,
        epsilon: { float: epsilon },
        stash_type: 1,
      },
    )
    for (let index = 0; index < layers; index++) {
      const name = `layers.${index}`
      const attended = this.#attention(name, normed, index, rope)
      const middle = this.#skipNorm(`${name}.post_attention`, attended, residual)
      const added = this.#feedForward(name, middle.normed)
      const next = this.#skipNorm(`${name}.next`, added, middle.sum)
      normed = next.normed
      residual = next.sum
    }
    const last = graph.node('Gather', [normed, 'last'], ['last_row'], { axis: 1 })
    const logits = this.#linear('output', last, vocabulary, hidden)
    graph.node('ArgMax', [logits], ['next_id'], { axis: -1, keepdims: 0 })
    graph.output('next_id', ELEMENT.int64, [1])
    return { model: graph.encode('chatglm3'), files: Object.values(this.#files) }
  }
}

/** A graph of a ChatGLM3 model that gives the most likely next id; keys and values go in and out as tensors. */
export function onnxGraph(config: ModelConfig, numbers: GraphNumbers): OnnxGraph {
  return new OnnxModel(config, numbers).build()
}
