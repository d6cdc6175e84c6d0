import { CheckpointError } from '../../errors/index.js'
import type { Checkpoint, TensorInfo } from '../checkpoint.js'
import { float16ToFloat32 } from '../formats/dtype.js'
import { isJsonObject, type JsonObject } from '../formats/json.js'
import type { TensorDeclaration } from '../formats/tensor-file.js'

/**
 * Quantized weights as MLX stores them (`mlx.core.quantize`, mode "affine"). A Linear X [out, in] becomes
 *
 * - `X.weight`, U32 [out, in * bits / 32]: the integers q, one behind the other from the lowest bits of the first word on
 * - `X.scales` and `X.biases`, F16 [out, in / groupSize], or BF16 or F32 where MLX made them of such weights
 *
 * and an element is w = scale * q + bias, with the scale and bias of its row and group. `config.json` says
 * `"quantization": {"bits", "group_size", "X": {"bits", "group_size"} | false}`.
 */
export interface StoredQuantization {
  readonly bits: 2 | 3 | 4 | 5 | 6 | 8
  /** How many neighbours of a row share a scale and a bias. */
  readonly groupSize: 32 | 64 | 128
}

/** A quantization that is computed with and written; its scales and biases are F16. */
export interface AffineQuantization extends StoredQuantization {
  readonly bits: 4 | 8
}

/** The `"quantization"` of a `config.json`. */
export interface QuantizationConfig extends StoredQuantization {
  /** Layers that differ, by name without `.weight`; false for those that stay dense. */
  readonly exceptions: ReadonlyMap<string, StoredQuantization | false>
}

/**
 * The quantization that a parsed `config.json` describes; undefined where it describes none.
 *
 * @throws `checkpoint.config-invalid` where the description is malformed or beyond what this project computes
 */
export function parseQuantizationConfig(config: unknown): QuantizationConfig | undefined {
  const quantization = isJsonObject(config) ? config.quantization : undefined
  if (quantization === undefined || quantization === null) return undefined
  if (!isJsonObject(quantization))
    throw new CheckpointError('checkpoint.config-invalid', '"quantization" in config.json is no object.')
  const defaults = parseAffine(quantization, '"quantization" in config.json')
  const exceptions = new Map<string, StoredQuantization | false>()
  for (const [key, value] of Object.entries(quantization)) {
    if (key === 'bits' || key === 'group_size' || key === 'mode') continue
    const what = `"quantization" of ${JSON.stringify(key.slice(0, 200))} in config.json`
    if (value === false) exceptions.set(key, false)
    else if (isJsonObject(value)) exceptions.set(key, parseAffine(value, what))
    // MLX writes true for a layer that has the common settings.
    else if (value !== true)
      throw new CheckpointError(
        'checkpoint.config-invalid',
        `${what} is neither an object nor true or false.`,
      )
  }
  return { ...defaults, exceptions }
}

function parseAffine({ bits, group_size: groupSize, mode }: JsonObject, what: string): StoredQuantization {
  if (mode !== undefined && mode !== 'affine') {
    throw new CheckpointError(
      'checkpoint.config-invalid',
      `${what} has the mode ${JSON.stringify(mode)}; "affine" is supported. Convert the model anew.`,
    )
  }
  if (!isStoredBits(bits)) {
    throw new CheckpointError(
      'checkpoint.config-invalid',
      `${what} has bits ${JSON.stringify(bits)}; 2, 3, 4, 5, 6 and 8 are supported. Convert the model anew.`,
    )
  }
  if (groupSize !== 32 && groupSize !== 64 && groupSize !== 128) {
    throw new CheckpointError(
      'checkpoint.config-invalid',
      `${what} has group_size ${JSON.stringify(groupSize)}; 32, 64 and 128 are supported. Convert the model anew.`,
    )
  }
  return { bits, groupSize }
}

function isStoredBits(bits: unknown): bits is StoredQuantization['bits'] {
  return typeof bits === 'number' && [2, 3, 4, 5, 6, 8].includes(bits)
}

/** The JSON object to store as `"quantization"` in `config.json`. */
export function formatQuantizationConfig(config: QuantizationConfig): JsonObject {
  const format = ({ bits, groupSize }: StoredQuantization) => ({ group_size: groupSize, bits })
  const exceptions = [...config.exceptions].map(([name, value]) => [
    name,
    value === false ? false : format(value),
  ])
  return { ...format(config), ...Object.fromEntries(exceptions) }
}

/** `X` of a tensor `X.weight`, whose companions are named after it. */
export function matrixBase(name: string): string {
  return name.replace(/\.weight$/, '')
}

/**
 * The three tensors that a matrix [out, in] becomes: weight, scales, biases.
 *
 * @param name of its weight: `X.weight`
 */
export function quantizedTensors(
  name: string,
  [out, columns]: readonly [number, number],
  { bits, groupSize }: AffineQuantization,
): [TensorDeclaration, TensorDeclaration, TensorDeclaration] {
  const base = matrixBase(name)
  const groups = [out, columns / groupSize]
  return [
    { name, dtype: 'U32', shape: [out, (columns * bits) / 32] },
    { name: `${base}.scales`, dtype: 'F16', shape: groups },
    { name: `${base}.biases`, dtype: 'F16', shape: groups },
  ]
}

/**
 * How a layer is quantized, if it is.
 *
 * @param name the layer's name or that of its weight: `X` or `X.weight`
 */
export function quantizationOf(
  config: QuantizationConfig | undefined,
  name: string,
): StoredQuantization | undefined {
  if (config === undefined) return undefined
  const exception = config.exceptions.get(matrixBase(name))
  if (exception === false) return undefined
  const { bits, groupSize } = exception ?? config
  return { bits, groupSize }
}

/** The three tensors of a quantized Linear. */
export interface QuantizedLinear extends StoredQuantization {
  readonly outFeatures: number
  readonly inFeatures: number
  readonly weight: TensorInfo
  readonly scales: TensorInfo
  readonly biases: TensorInfo
}

/**
 * The tensors of a Linear, where it is quantized; undefined where it is dense, which is when it has no
 * `.scales`, whatever `config.json` says (as MLX's loader decides it).
 *
 * @param name the layer's name, without `.weight`
 * @throws `checkpoint.config-invalid` where `config.json` does not say how the layer is quantized
 * @throws `checkpoint.tensor-missing`, `checkpoint.tensor-mismatch` where its tensors do not fit each other
 */
export function quantizedLinear(
  checkpoint: Checkpoint,
  config: QuantizationConfig | undefined,
  name: string,
): QuantizedLinear | undefined {
  if (!checkpoint.tensors.has(`${name}.scales`)) return undefined
  const quantization = quantizationOf(config, name)
  if (quantization === undefined) {
    throw new CheckpointError(
      'checkpoint.config-invalid',
      `${checkpoint.name} has ${name}.scales, but config.json does not say how ${name} is quantized ("quantization").`,
    )
  }
  const { bits, groupSize } = quantization
  const weight = checkpoint.requireTensor(`${name}.weight`, { dtype: ['U32'] })
  const [outFeatures, words] = weight.shape
  const inFeatures = ((words ?? 0) * 32) / bits
  if (weight.shape.length !== 2 || outFeatures === undefined || inFeatures % groupSize !== 0) {
    throw new CheckpointError(
      'checkpoint.tensor-mismatch',
      `Tensor ${weight.name} of shape [${weight.shape.join(', ')}] is no matrix of ${bits}-bit integers in groups of ` +
        `${groupSize}. Does config.json belong to these weights?`,
    )
  }
  const requirement = { dtype: ['F16', 'BF16', 'F32'], shape: [outFeatures, inFeatures / groupSize] } as const
  const scales = checkpoint.requireTensor(`${name}.scales`, requirement)
  const biases = checkpoint.requireTensor(`${name}.biases`, requirement)
  return { bits, groupSize, outFeatures, inFeatures, weight, scales, biases }
}

/**
 * The weights of some rows: w = scale * q + bias in float64, rounded to float32. For exports, tests and tools; the model
 * does this on the GPU.
 *
 * @param words rows of `X.weight`
 * @param scales the same rows of `X.scales`, float16 bit patterns
 * @param biases the same rows of `X.biases`, float16 bit patterns
 * @returns rows * in values, row by row
 */
export function dequantizeRows(
  words: Uint32Array,
  scales: Uint16Array,
  biases: Uint16Array,
  { bits, groupSize }: AffineQuantization,
): Float32Array {
  const perWord = 32 / bits
  const mask = 2 ** bits - 1
  const weights = new Float32Array(words.length * perWord)
  if (scales.length * groupSize !== weights.length || biases.length !== scales.length) {
    throw new CheckpointError(
      'checkpoint.tensor-mismatch',
      `${words.length} words of ${bits}-bit integers in groups of ${groupSize} need ${weights.length / groupSize} ` +
        `scales and biases, not ${scales.length} and ${biases.length}.`,
    )
  }
  const scale = float16ToFloat32(scales)
  const bias = float16ToFloat32(biases)
  let i = 0
  for (let group = 0; group < scale.length; group++) {
    const [s, b] = [scale[group]!, bias[group]!]
    for (const end = i + groupSize; i < end; ) {
      const word = words[i / perWord]!
      for (let shift = 0; shift < 32; shift += bits) weights[i++] = s * ((word >>> shift) & mask) + b
    }
  }
  return weights
}
