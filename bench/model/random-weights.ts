import { Filler, uniform } from '../common/fill.js'
import {
  type Gpu,
  LAYER,
  type LayerWeights,
  type LinearWeight,
  type ModelConfig,
  type ModelWeights,
  matrixLabel,
  modelTensors,
  type Prefix,
  productsOf,
  ropeTable,
  type WeightFormat,
  type WeightSlice,
  weightSlices,
} from '../common/internals.js'

/** Bits that stand for one element in a format, without scales and biases. */
function bitsOf({ type }: WeightFormat): number {
  return { f16: 16, q8: 8, q4: 4 }[type]
}

/** Makes the random weights of a model on the GPU itself: no host could hold and upload them in the same time. */
class WeightMaker {
  readonly #gpu: Gpu
  readonly #filler: Filler
  readonly #format: WeightFormat

  constructor(gpu: Gpu, filler: Filler, format: WeightFormat) {
    this.#gpu = gpu
    this.#filler = filler
    this.#format = format
  }

  /** f16 [count] around `center`. */
  vector(label: string, count: number, deviation: number, center: number): GPUBuffer {
    const buffer = this.#gpu.allocate('weights', label, count * 2)
    this.#filler.fill(buffer, uniform('f16', deviation, center))
    return buffer
  }

  /** A matrix whose elements have about the standard deviation `gain` / sqrt(inFeatures). */
  async matrix(
    name: string,
    outFeatures: number,
    inFeatures: number,
    gain = 1,
    biasName?: string,
  ): Promise<LinearWeight> {
    const gpu = this.#gpu
    const slices: WeightSlice[] = []
    for (const { firstRow, rows } of weightSlices(gpu, this.#format, [outFeatures, inFeatures])) {
      slices.push(await gpu.allocating(name, () => this.#slice(name, firstRow, rows, inFeatures, gain)))
    }
    const bias = biasName && { bias: this.vector(biasName, outFeatures, 0.1, 0) }
    return { name, inFeatures, outFeatures, slices, ...(bias || {}) }
  }

  #slice(name: string, firstRow: number, rows: number, inFeatures: number, gain: number): WeightSlice {
    const format = this.#format
    const count = rows * inFeatures
    const deviation = gain / Math.sqrt(inFeatures)
    const filled = (label: string, bytes: number, filling: Parameters<Filler['fill']>[1]) => {
      const buffer = this.#gpu.allocate('weights', label, bytes)
      this.#filler.fill(buffer, filling)
      return buffer
    }
    if (format.type === 'f16') {
      return {
        format,
        firstRow,
        rows,
        buffers: { weight: filled(name, count * 2, uniform('f16', deviation)) },
      }
    }
    const levels = 2 ** bitsOf(format) - 1
    // Standard deviation of the levels, which are uniform.
    const scale = deviation / (levels / Math.sqrt(12))
    const groupBytes = (count / format.groupSize) * 2
    const buffers = {
      weight: filled(name, (count * bitsOf(format)) / 8, { kind: 'bits' }),
      scales: filled(`${name} scales`, groupBytes, { kind: 'f16', center: scale, range: scale / 8 }),
      biases: filled(`${name} biases`, groupBytes, {
        kind: 'f16',
        center: (-scale * levels) / 2,
        range: (scale * levels) / 16,
      }),
    }
    return { format, firstRow, rows, buffers }
  }
}

/**
 * Seeded random weights under which activations keep their size from layer to layer, as they do in a trained model.
 * @param positions of the rotary table
 */
export async function randomWeights(
  gpu: Gpu,
  config: ModelConfig,
  format: WeightFormat,
  positions: number,
  seed: number,
): Promise<ModelWeights> {
  const { layers, hidden, headDim, vocabulary, ropeBase } = config
  const maker = new WeightMaker(gpu, await Filler.create(gpu, seed), format)
  // What layers add to the residual stream must not add up beyond the embedding.
  const added = 1 / Math.sqrt(2 * layers)
  const norm = (label: string) => maker.vector(label, hidden, 0.1, 1)
  const all: LayerWeights[] = []
  for (let index = 0; index < layers; index++) {
    const tensors = modelTensors(config).layers[index]
    const layer: Partial<Record<string, GPUBuffer | LinearWeight>> = {}
    for (const operation of LAYER) {
      if (operation.kind === 'norm') {
        layer[operation.weight] = norm(matrixLabel(tensors[operation.weight].name))
      }
      if (operation.kind !== 'linear') continue
      const { name, shape } = tensors[operation.weight]
      const bias = operation.bias && tensors[operation.bias] && `${matrixLabel(name)}.bias`
      const gain = operation.adds ? added : 1
      layer[operation.weight] = await maker.matrix(matrixLabel(name), shape[0], shape[1], gain, bias)
    }
    all.push(layer as LayerWeights)
  }
  return {
    // Rows of the embedding are the residual stream's beginning, of size 1 whatever their length.
    embedding: await maker.matrix('embedding.word_embeddings', vocabulary, hidden, Math.sqrt(hidden)),
    layers: all,
    finalNorm: norm('final_layernorm'),
    output: await maker.matrix('output_layer', vocabulary, hidden, 2),
    ropeTable: gpu.upload('weights', 'rope table', ropeTable(positions, headDim, ropeBase)),
  }
}

/** A prefix of random keys and values. */
export async function randomPrefix(
  gpu: Gpu,
  { layers, kvGroups, headDim }: ModelConfig,
  length: number,
  seed: number,
): Promise<Prefix> {
  const rows = gpu.allocate('prefixes', 'random prefix', 2 * layers * length * kvGroups * headDim * 2)
  const filler = await Filler.create(gpu, seed)
  filler.fill(rows, uniform('f16', 1))
  return { kind: 'prefix', name: 'random', length, rows }
}

/** Bytes of the weights that a token needs in decoding: all but the embedding, of which it needs one row. */
export function bytesPerToken({ layers, output, finalNorm }: ModelWeights): number {
  const matrices = [output, ...layers.flatMap(productsOf<LinearWeight>)]
  const buffers = matrices.flatMap(({ slices }) =>
    slices.flatMap(({ buffers: { weight, scales, biases } }) => [weight, scales, biases]),
  )
  const norms = layers.flatMap(({ inputNorm, postAttentionNorm }) => [inputNorm, postAttentionNorm])
  return [...buffers, ...norms, finalNorm].reduce((sum, buffer) => sum + (buffer?.size ?? 0), 0)
}

/** Weights that a row is multiplied by on its way through the layers; the output layer is not among them. */
export function layerParameters({ layers }: ModelWeights): number {
  return layers
    .flatMap(productsOf<LinearWeight>)
    .reduce((sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures, 0)
}
