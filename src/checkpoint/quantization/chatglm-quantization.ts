import { CheckpointError } from '../../errors/index.js'
import type { Checkpoint, TensorInfo } from '../checkpoint.js'
import { isJsonObject } from '../formats/json.js'

/**
 * The official INT8 and INT4 formats of ChatGLM (`quantization.py`), as what `model.quantize(bits)` saves. Every
 * row has one float16 scale s and w = s * q with
 *
 * - int8: `weight` I8 [out, in], q from -127 to 127
 * - int4: `weight` I8 [out, in / 2], q from -7 to 7 as two's complement nibbles, the even column in the high one
 *
 * and `weight_scale` F16 [out]. With q' = q + 2^(bits - 1) the same weights are s * q' - 2^(bits - 1) * s: the
 * affine format of {@link AffineQuantization}, without any loss as the factor is a power of two.
 */
export interface ChatGLMQuantizedLinear {
  readonly bits: 4 | 8
  readonly outFeatures: number
  readonly inFeatures: number
  readonly weight: TensorInfo
  readonly weightScale: TensorInfo
}

/**
 * How the layers of a checkpoint are quantized in the official format, by its `config.json`; undefined where
 * they are not.
 *
 * @throws `checkpoint.config-invalid` for other bits than 4 and 8
 */
export function chatGLMQuantizationBits(config: unknown): 4 | 8 | undefined {
  const bits = isJsonObject(config) ? config.quantization_bit : undefined
  if (bits === undefined || bits === null || bits === 0) return undefined
  if (bits === 4 || bits === 8) return bits
  throw new CheckpointError(
    'checkpoint.config-invalid',
    `config.json has quantization_bit ${JSON.stringify(bits)}; the official format has 4 and 8.`,
  )
}

/**
 * The tensors of a Linear in the official format; undefined where it has no `weight_scale`, so is dense.
 *
 * @param name the layer's name, without `.weight`
 * @throws `checkpoint.tensor-missing`, `checkpoint.tensor-mismatch` where its tensors do not fit each other
 */
export function chatGLMQuantizedLinear(
  checkpoint: Checkpoint,
  bits: 4 | 8,
  name: string,
): ChatGLMQuantizedLinear | undefined {
  if (!checkpoint.tensors.has(`${name}.weight_scale`)) return undefined
  const weight = checkpoint.requireTensor(`${name}.weight`, { dtype: ['I8'] })
  const [outFeatures, rowBytes] = weight.shape
  if (weight.shape.length !== 2 || outFeatures === undefined || rowBytes === undefined) {
    throw new CheckpointError(
      'checkpoint.tensor-mismatch',
      `Tensor ${weight.name} of shape [${weight.shape.join(', ')}] is no matrix.`,
    )
  }
  const weightScale = checkpoint.requireTensor(`${name}.weight_scale`, {
    dtype: ['F16'],
    shape: [outFeatures],
  })
  return { bits, outFeatures, inFeatures: (rowBytes * 8) / bits, weight, weightScale }
}

/**
 * Repacks rows of an official `weight` into rows of an affine one. Any number of whole rows: the parts of a
 * tensor can be repacked one after another.
 *
 * @param packed rows of `weight`; a row must have a multiple of 4 bytes, which groups of 32 ensure
 * @param target as long as `packed`; may be `packed` itself
 * @returns `target`: the bytes of the U32 words
 */
export function repackChatGLMWeight(
  bits: 4 | 8,
  packed: Uint8Array,
  target: Uint8Array = new Uint8Array(packed.byteLength),
): Uint8Array {
  const bytes = packed.byteLength
  if (bytes % 4 !== 0 || target.byteLength !== bytes) {
    throw new CheckpointError(
      'checkpoint.tensor-mismatch',
      `${bytes} bytes cannot be repacked into ${target.byteLength} bytes of 32-bit words.`,
    )
  }
  // Both formats have bytes in the same order, so whole words are worked on wherever they are aligned.
  const aligned = packed.byteOffset % 4 === 0 ? packed : packed.slice()
  const out = target.byteOffset % 4 === 0 ? target : new Uint8Array(bytes)
  const from = new Uint32Array(aligned.buffer, aligned.byteOffset, bytes / 4)
  const to = new Uint32Array(out.buffer, out.byteOffset, bytes / 4)
  // Adding 2^(bits - 1) to a two's complement number of that many bits flips its sign bit.
  if (bits === 8) {
    for (let i = 0; i < from.length; i++) to[i] = from[i]! ^ 0x80808080
  } else {
    for (let i = 0; i < from.length; i++) {
      const word = from[i]!
      to[i] = (((word >>> 4) & 0x0f0f0f0f) | ((word & 0x0f0f0f0f) << 4)) ^ 0x88888888
    }
  }
  if (out !== target) target.set(out)
  return target
}

/**
 * Repacks the scales of rows: each becomes the scale of all groups of its row, with the bias -2^(bits - 1) times
 * the scale.
 *
 * @param weightScale float16 bit patterns of `weight_scale`, one a row
 * @param groups groups a row: in / groupSize
 * @param firstRow the number of the first row, for messages
 * @returns float16 bit patterns [rows, groups]
 * @throws `checkpoint.not-quantizable` for a scale that is no number, or whose bias is too large for float16
 */
export function repackChatGLMScales(
  bits: 4 | 8,
  weightScale: Uint16Array,
  groups: number,
  firstRow = 0,
): { scales: Uint16Array; biases: Uint16Array } {
  const scales = new Uint16Array(weightScale.length * groups)
  const biases = new Uint16Array(weightScale.length * groups)
  for (let row = 0; row < weightScale.length; row++) {
    const scale = weightScale[row]!
    const bias = negatedTimesPowerOfTwo(scale, bits - 1)
    if (bias === undefined) {
      throw new CheckpointError(
        'checkpoint.not-quantizable',
        `The scale of row ${firstRow + row} (float16 bits 0x${scale.toString(16)}) cannot be repacked: it is not ` +
          `finite, or ${2 ** (bits - 1)} times it exceeds float16. Quantize from the float16 checkpoint instead.`,
      )
    }
    scales.fill(scale, row * groups, (row + 1) * groups)
    biases.fill(bias, row * groups, (row + 1) * groups)
  }
  return { scales, biases }
}

/** -(2^power) * x on float16 bit patterns, exactly; undefined where that is not finite. */
function negatedTimesPowerOfTwo(x: number, power: number): number | undefined {
  const sign = (x & 0x8000) ^ 0x8000
  let exponent = (x >> 10) & 0x1f
  let fraction = x & 0x3ff
  if (exponent === 0x1f) return undefined
  for (let i = 0; i < power; i++) {
    if (exponent > 0) exponent++
    else {
      // Doubling a subnormal shifts its fraction, at the end into the exponent of 1.
      fraction <<= 1
      if (fraction > 0x3ff) {
        exponent = 1
        fraction &= 0x3ff
      }
    }
  }
  return exponent >= 0x1f ? undefined : sign | (exponent << 10) | fraction
}
