import {
  type AffineQuantization,
  asUint16Array,
  asUint32Array,
  type BlockType,
  blockLayout,
  type Checkpoint,
  dequantizeRows,
  type FloatDType,
  isBlockType,
  parseQuantizationConfig,
  quantizedLinear,
  toFloat32,
} from '../src/checkpoint/index.js'
import { attentionReference } from '../src/kernels/attention/attention/attention.reference.js'
import { ropeReference } from '../src/kernels/attention/rope/rope.reference.js'
import { linearReference } from '../src/kernels/common/linear.reference.js'
import { embeddingReference } from '../src/kernels/layers/embedding/embedding.reference.js'
import { rmsNormReference } from '../src/kernels/layers/rms-norm/rms-norm.reference.js'
import { swigluReference } from '../src/kernels/layers/swiglu/swiglu.reference.js'
import { referenceElement } from '../src/runtime/model/blocks/ggml.reference.js'
import { type ModelConfig, parseModelConfig } from '../src/runtime/model/config.js'
import type { StoredLora } from '../src/runtime/model/index.js'
import { modelTensors, type TensorSpec } from '../src/runtime/model/tensors.js'

/** A prefix for the reference: f64 rows [P, 2 layers * kvGroups * headDim], as the encoder gives them. */
export interface ReferencePrefix {
  readonly rows: ArrayLike<number>
  readonly length: number
}

/** The elements of ggml's blocks. */
function elementsOf(type: BlockType, bytes: Uint8Array): Float32Array {
  const { elements, bytes: size } = blockLayout(type)
  return Float32Array.from({ length: (bytes.length / size) * elements }, (_, i) => {
    const at = Math.floor(i / elements) * size
    return referenceElement(type, bytes.subarray(at, at + size), i % elements)
  })
}

/** A whole ChatGLM3 model in float64 on the CPU, made of the kernels' references: what the GPU is compared with. */
export class ReferenceModel {
  readonly config: ModelConfig
  readonly #weights: ReadonlyMap<string, Float32Array>

  private constructor(config: ModelConfig, weights: ReadonlyMap<string, Float32Array>) {
    this.config = config
    this.#weights = weights
  }

  /** @param weights by the official names, dequantized */
  static of(config: ModelConfig, weights: ReadonlyMap<string, Float32Array>): ReferenceModel {
    return new ReferenceModel(config, weights)
  }

  /** Reads all weights; quantized ones are dequantized to exactly what they stand for. */
  static async open(checkpoint: Checkpoint): Promise<ReferenceModel> {
    const config = parseModelConfig(checkpoint.config)
    const quantization = parseQuantizationConfig(checkpoint.config)
    const weights = new Map<string, Float32Array>()
    const { embedding, layers, finalNorm, output } = modelTensors(config)
    const all = [embedding, ...layers.flatMap((layer) => Object.values(layer)), finalNorm, output]
    for (const spec of all as (TensorSpec | undefined)[]) {
      if (!spec) continue
      const linear = quantizedLinear(checkpoint, quantization, spec.name.replace(/\.weight$/, ''))
      if (linear) {
        const words = asUint32Array(await checkpoint.read(linear.weight.name))
        const scales = asUint16Array(await checkpoint.read(linear.scales.name))
        const biases = asUint16Array(await checkpoint.read(linear.biases.name))
        weights.set(spec.name, dequantizeRows(words, scales, biases, linear as AffineQuantization))
      } else {
        const { dtype } = checkpoint.requireTensor(spec.name, { shape: spec.shape })
        const bytes = await checkpoint.read(spec.name)
        weights.set(
          spec.name,
          isBlockType(dtype) ? elementsOf(dtype, bytes) : toFloat32(bytes, dtype as FloatDType),
        )
      }
    }
    return new ReferenceModel(config, weights)
  }

  /** The same model with a LoRA adapter merged into its weights: w + strength * scale * B A. */
  async merged(lora: StoredLora, strength = 1): Promise<ReferenceModel> {
    const weights = new Map(this.#weights)
    for (const factors of lora.factors) {
      const { rank, inFeatures, outFeatures, scale } = factors
      const { a, b } = await lora.read(factors)
      const { name } = modelTensors(this.config).layers[factors.layer][factors.role]
      const merged = Float32Array.from(this.#weights.get(name)!)
      for (let n = 0; n < outFeatures; n++) {
        for (let i = 0; i < inFeatures; i++) {
          let sum = 0
          for (let j = 0; j < rank; j++) sum += b[n * rank + j] * a[j * inFeatures + i]
          merged[n * inFeatures + i] += strength * scale * sum
        }
      }
      weights.set(name, merged)
    }
    return new ReferenceModel(this.config, weights)
  }

  /** The weight of a tensor, dequantized. */
  weight(spec: TensorSpec | undefined): Float32Array {
    return this.#weights.get(spec?.name ?? '')!
  }

  /** The logits at every position, f64 [ids.length, vocabulary]. */
  logits(ids: readonly number[], prefix?: ReferencePrefix, prefixStrength = 1): Float64Array {
    const { config } = this
    const tensors = modelTensors(config)
    const { heads, kvGroups, headDim, hidden, ffn, epsilon } = config
    const length = prefix?.length ?? 0
    const kv = kvGroups * headDim
    const attended = heads * headDim
    const positions = ids.map((_, position) => position)
    let x = embeddingReference(ids, this.weight(tensors.embedding), hidden)
    const add = (y: Float64Array) => {
      x = x.map((value, i) => value + y[i])
    }
    tensors.layers.forEach((layer, index) => {
      const normed = rmsNormReference(x, this.weight(layer.inputNorm), epsilon)
      const projected = linearReference(normed, this.weight(layer.qkv), hidden, this.weight(layer.qkvBias))
      const qkv = ropeReference(projected, positions, config, config.ropeBase)
      const keys = new Float64Array((length + ids.length) * kv)
      const values = new Float64Array(keys.length)
      for (let row = 0; prefix && row < length; row++) {
        const from = row * 2 * config.layers * kv + 2 * index * kv
        for (let i = 0; i < kv; i++) {
          keys[row * kv + i] = prefix.rows[from + i]
          values[row * kv + i] = prefix.rows[from + kv + i]
        }
      }
      const width = attended + 2 * kv
      const attention = new Float64Array(ids.length * attended)
      positions.forEach((row) => {
        keys.set(qkv.subarray(row * width + attended, row * width + attended + kv), (length + row) * kv)
        values.set(qkv.subarray(row * width + attended + kv, (row + 1) * width), (length + row) * kv)
        const query = qkv.subarray(row * width, row * width + attended)
        const bias = Math.log(prefixStrength)
        const output = attentionReference(query, keys, values, config, length + row + 1, length, bias)
        attention.set(output, row * attended)
      })
      add(linearReference(attention, this.weight(layer.dense), attended))
      const second = rmsNormReference(x, this.weight(layer.postAttentionNorm), epsilon)
      const gated = swigluReference(linearReference(second, this.weight(layer.gateUp), hidden), ffn)
      add(linearReference(gated, this.weight(layer.down), ffn))
    })
    const final = rmsNormReference(x, this.weight(tensors.finalNorm), epsilon)
    return linearReference(final, this.weight(tensors.output), hidden)
  }
}
