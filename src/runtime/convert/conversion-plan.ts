import {
  type AffineQuantization,
  type Checkpoint,
  formatQuantizationConfig,
  QuantizationError,
  type TensorDeclaration,
  type TensorInfo,
} from '../../checkpoint/index.js'
import {
  FLOAT_DTYPES,
  matrixBase,
  modelTensors,
  PREFIX_ENCODER,
  parseModelConfig,
  quantizationAfter,
  type StoredMatrix,
  storedMatrix,
  storedTensors,
  type TensorSpec,
  tensorList,
} from '../model/index.js'

/** A matrix that becomes three tensors of the destination. */
export interface QuantizedMatrix {
  readonly kind: 'quantize'
  readonly stored: Exclude<StoredMatrix, { kind: 'quantized' }>
  readonly quantization: AffineQuantization
  /** Weight, scales and biases, in this order. */
  readonly declarations: readonly [TensorDeclaration, TensorDeclaration, TensorDeclaration]
}

/** A tensor that stays as it is. */
export interface CopiedTensor {
  readonly kind: 'copy'
  readonly tensor: TensorInfo
}

/** How a tensor of the source gets into the destination. */
export type ConversionStep = QuantizedMatrix | CopiedTensor

function matrixSteps(checkpoint: Checkpoint, spec: TensorSpec, wanted: AffineQuantization): ConversionStep[] {
  const stored = storedMatrix(checkpoint, spec)
  const quantization = quantizationAfter(stored, wanted)
  if (quantization && stored.kind !== 'dense' && quantization.bits !== wanted.bits) {
    throw new QuantizationError(
      `${checkpoint.name} is quantized to ${quantization.bits} bits already (${spec.name}). Quantizing it again to ` +
        `${wanted.bits} would add errors: convert the float16 checkpoint, or ask for ${quantization.bits} bits.`,
    )
  }
  if (stored.kind === 'quantized' || !quantization) {
    return storedTensors(stored).map((tensor) => ({ kind: 'copy', tensor }))
  }
  const [out, columns] = spec.shape
  const base = matrixBase(spec.name)
  const groups = [out, columns / quantization.groupSize]
  return [
    {
      kind: 'quantize',
      stored,
      quantization,
      declarations: [
        { name: spec.name, dtype: 'U32', shape: [out, (columns * quantization.bits) / 32] },
        { name: `${base}.scales`, dtype: 'F16', shape: groups },
        { name: `${base}.biases`, dtype: 'F16', shape: groups },
      ],
    },
  ]
}

/**
 * Decides for every tensor of a model, and of a prefix that came with it, how it is converted.
 * @throws QuantizationError for a matrix that is quantized to other bits already; the errors of `storedMatrix`
 */
export function planConversion(checkpoint: Checkpoint, wanted: AffineQuantization): ConversionStep[] {
  const model = tensorList(modelTensors(parseModelConfig(checkpoint.config))).flatMap((spec) => {
    if (spec.shape.length > 1) return matrixSteps(checkpoint, spec, wanted)
    const tensor = checkpoint.requireTensor(spec.name, { dtype: FLOAT_DTYPES, shape: spec.shape })
    return [{ kind: 'copy', tensor } as const]
  })
  const prefix = [...checkpoint.tensors.values()].filter(({ name }) => name.startsWith(PREFIX_ENCODER))
  return [...model, ...prefix.map((tensor) => ({ kind: 'copy', tensor }) as const)]
}

/** The config of the destination: the source's, with the new quantization instead of the official one. */
export function convertedConfig(
  checkpoint: Checkpoint,
  wanted: AffineQuantization,
  steps: readonly ConversionStep[],
): Record<string, unknown> {
  const { quantization_bit: _, ...config } = checkpoint.config as Record<string, unknown>
  // A checkpoint in this format already keeps the description it has.
  if (steps.every(({ kind }) => kind === 'copy') && config.quantization) return config
  const exceptions = new Map<string, AffineQuantization | false>()
  for (const step of steps) {
    if (step.kind === 'quantize' && step.quantization.groupSize !== wanted.groupSize) {
      exceptions.set(matrixBase(step.declarations[0].name), step.quantization)
    } else if (step.kind === 'copy' && step.tensor.shape.length === 2) {
      exceptions.set(matrixBase(step.tensor.name), false)
    }
  }
  return { ...config, quantization: formatQuantizationConfig({ ...wanted, exceptions }) }
}
