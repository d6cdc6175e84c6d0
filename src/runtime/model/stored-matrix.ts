import {
  type AffineQuantization,
  type ChatGLMQuantizedLinear,
  type Checkpoint,
  chatGLMQuantizationBits,
  chatGLMQuantizedLinear,
  type DType,
  parseQuantizationConfig,
  type QuantizedLinear,
  quantizedLinear,
  type TensorInfo,
  TensorMismatchError,
} from '../../checkpoint/index.js'
import type { QuantizedFormat, WeightFormat } from '../../kernels/index.js'
import type { TensorSpec } from './tensors.js'

/** How a checkpoint stores a matrix [out, in]. */
export type StoredMatrix =
  /** One tensor of floats. */
  | { readonly kind: 'dense'; readonly weight: TensorInfo }
  /** This project's and MLX's form: packed weight, scales, biases. */
  | ({ readonly kind: 'quantized' } & QuantizedLinear)
  /** The official `quantize(8)` or `quantize(4)` form: an I8 weight and a scale for each row. */
  | ({ readonly kind: 'official' } & ChatGLMQuantizedLinear)

/** Dtypes that weights may have. */
export const FLOAT_DTYPES: readonly DType[] = ['F16', 'BF16', 'F32']

/** `X` of a tensor `X.weight`, which names its companions `X.scales` and so on. */
export function matrixBase(name: string): string {
  return name.replace(/\.weight$/, '')
}

/**
 * Finds out how a matrix is stored and checks every tensor of it against the model's shape.
 * @throws MissingTensorError, TensorMismatchError, ConfigError
 */
export function storedMatrix(checkpoint: Checkpoint, { name, shape }: TensorSpec): StoredMatrix {
  const base = matrixBase(name)
  const bits = chatGLMQuantizationBits(checkpoint.config)
  const quantized = quantizedLinear(checkpoint, parseQuantizationConfig(checkpoint.config), base)
  const official = bits && chatGLMQuantizedLinear(checkpoint, bits, base)
  const linear = quantized ?? official
  if (linear && (linear.outFeatures !== shape[0] || linear.inFeatures !== shape[1])) {
    throw new TensorMismatchError(
      `Tensor ${name} in ${linear.weight.file} holds a matrix of [${linear.outFeatures}, ${linear.inFeatures}]; ` +
        `[${shape.join(', ')}] is needed. Does config.json belong to these weights?`,
    )
  }
  if (quantized) return { kind: 'quantized', ...quantized }
  if (official) return { kind: 'official', ...official }
  return { kind: 'dense', weight: checkpoint.requireTensor(name, { dtype: FLOAT_DTYPES, shape }) }
}

/** The tensors that a stored matrix consists of. */
export function storedTensors(stored: StoredMatrix): TensorInfo[] {
  if (stored.kind === 'quantized') return [stored.weight, stored.scales, stored.biases]
  if (stored.kind === 'official') return [stored.weight, stored.weightScale]
  return [stored.weight]
}

/**
 * The quantization of a matrix once it is loaded or converted: what is quantized stays as it is, floats are quantized
 * if asked for, in smaller groups or not at all where the columns do not divide. The official form has one scale a
 * row, which any group size that divides the row repeats.
 */
export function quantizationAfter(
  stored: StoredMatrix,
  wanted: AffineQuantization | undefined,
): AffineQuantization | undefined {
  if (stored.kind === 'quantized') return { bits: stored.bits, groupSize: stored.groupSize }
  const columns = stored.kind === 'official' ? stored.inFeatures : stored.weight.shape[1]
  const sizes = ([64, 32] as const).filter(
    (size) => size <= (wanted?.groupSize ?? 64) && columns % size === 0,
  )
  if (stored.kind === 'official') return { bits: stored.bits, groupSize: sizes[0] ?? 32 }
  return wanted && sizes.length > 0 ? { bits: wanted.bits, groupSize: sizes[0] } : undefined
}

/** The kernels' name of a quantization. */
export function quantizedFormat({ bits, groupSize }: AffineQuantization): QuantizedFormat {
  return { type: bits === 4 ? 'q4' : 'q8', groupSize }
}

/** Bytes of a row of a matrix on the GPU, and of a row of its scales or biases (0 where dense). */
export function rowBytes(
  format: WeightFormat,
  inFeatures: number,
): { weightBytes: number; groupBytes: number } {
  if (format.type === 'f16') return { weightBytes: inFeatures * 2, groupBytes: 0 }
  const bits = format.type === 'q4' ? 4 : 8
  return { weightBytes: (inFeatures * bits) / 8, groupBytes: (inFeatures / format.groupSize) * 2 }
}
