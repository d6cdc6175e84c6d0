import {
  type AffineQuantization,
  type Checkpoint,
  formatQuantizationConfig,
  matrixBase,
  quantizedTensors,
  type TensorDeclaration,
  type TensorInfo,
} from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import {
  FLOAT_DTYPES,
  modelTensors,
  PREFIX_ENCODER,
  parseModelConfig,
  type StoredMatrix,
  storedMatrix,
  type TensorSpec,
  tensorList,
} from '../model/index.js'

/** A matrix that becomes three tensors of the destination. */
export interface QuantizedMatrix {
  readonly stored: StoredMatrix
  readonly quantization: AffineQuantization
}

/** How tensors of the source get into the destination. */
export interface ConversionStep {
  /** Tensors of the source that are read. */
  readonly sources: readonly TensorInfo[]
  /** Tensors of the destination: those of a matrix in the order of `MATRIX_PARTS`, or the one that is copied. */
  readonly declarations: readonly TensorDeclaration[]
  /** Undefined where a tensor stays as it is. */
  readonly matrix: QuantizedMatrix | undefined
}

export interface ConversionPlan {
  readonly steps: readonly ConversionStep[]
  /** How each tensor of two dimensions is quantized in the destination, by its name without `.weight`; false if it is not. */
  readonly layers: ReadonlyMap<string, AffineQuantization | false>
}

function copy(tensor: TensorInfo): ConversionStep {
  return { sources: [tensor], declarations: [tensor], matrix: undefined }
}

/** The steps of a matrix, and how it is quantized afterwards. */
function convertMatrix(
  checkpoint: Checkpoint,
  { name, shape: [out, columns] }: TensorSpec,
  stored: StoredMatrix,
  wanted: AffineQuantization,
): { steps: ConversionStep[]; quantization: AffineQuantization | undefined } {
  const quantization = stored.quantizationAfter(wanted)
  if (stored.bits && stored.bits !== wanted.bits) {
    throw new CheckpointError(
      'checkpoint.not-quantizable',
      `${checkpoint.name} is quantized to ${stored.bits} bits already (${name}). Quantizing it again to ` +
        `${wanted.bits} would add errors: convert the float16 checkpoint, or ask for ${stored.bits} bits.`,
    )
  }
  if (stored.isConverted || !quantization) return { steps: stored.tensors.map(copy), quantization }
  const declarations = quantizedTensors(name, [out, columns], quantization)
  return {
    steps: [{ sources: stored.tensors, declarations, matrix: { stored, quantization } }],
    quantization,
  }
}

/**
 * Decides for every tensor of a model, and of a prefix that came with it, how it is converted.
 * @throws `checkpoint.not-quantizable` for a matrix that is quantized to other bits already; the errors of `storedMatrix`
 */
export function planConversion(checkpoint: Checkpoint, wanted: AffineQuantization): ConversionPlan {
  const layers = new Map<string, AffineQuantization | false>()
  const model = tensorList(modelTensors(parseModelConfig(checkpoint.config))).flatMap((spec) => {
    if (spec.shape.length === 1) {
      return copy(checkpoint.requireTensor(spec.name, { dtype: FLOAT_DTYPES, shape: spec.shape }))
    }
    const stored = storedMatrix(checkpoint, spec)
    const { steps, quantization } = convertMatrix(checkpoint, spec, stored, wanted)
    layers.set(matrixBase(spec.name), quantization ?? false)
    return steps
  })
  const prefix = [...checkpoint.tensors.values()].filter(({ name }) => name.startsWith(PREFIX_ENCODER))
  for (const { name, shape } of prefix) if (shape.length === 2) layers.set(matrixBase(name), false)
  return { steps: [...model, ...prefix.map(copy)], layers }
}

/** The config of the destination: the source's, with the new quantization instead of the official one. */
export function convertedConfig(
  checkpoint: Checkpoint,
  wanted: AffineQuantization,
  { steps, layers }: ConversionPlan,
): Record<string, unknown> {
  const { quantization_bit: _, ...config } = checkpoint.config as Record<string, unknown>
  // A checkpoint in this format already keeps the description it has.
  if (steps.every(({ matrix }) => !matrix) && config.quantization) return config
  const exceptions = new Map(
    [...layers].filter(([, quantization]) => !quantization || quantization.groupSize !== wanted.groupSize),
  )
  return { ...config, quantization: formatQuantizationConfig({ ...wanted, exceptions }) }
}
