import {
  type AffineQuantization,
  type Checkpoint,
  formatQuantizationConfig,
  isBlockType,
  matrixBase,
  quantizedTensors,
  type StoredDeclaration,
  type TensorInfo,
} from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import {
  type BlockContext,
  FLOAT_DTYPES,
  inOrder,
  lossesOf,
  MATRIX_PARTS,
  modelTensors,
  PREFIX_ENCODER,
  parseModelConfig,
  type StoredMatrix,
  storedMatrix,
  type TensorSpec,
  tensorList,
} from '../model/index.js'

/** How tensors of the source get into the destination. */
export interface ConversionStep {
  /** Tensors of the source that are read. */
  readonly sources: readonly TensorInfo[]
  /** Tensors of the destination, in the order in which they are written. */
  readonly declarations: readonly StoredDeclaration[]
  /** Gives out the next bytes of the declared tensors, of any of them that has some, until all are complete. */
  parts(context: BlockContext): AsyncIterable<readonly (Uint8Array | undefined)[]>
}

/** Blocks read, quantized and read back ahead of the one being written. */
const BLOCKS_AHEAD = 4

export interface ConversionPlan {
  readonly steps: readonly ConversionStep[]
  /** Whether every tensor stays as it is. */
  readonly isCopy: boolean
  /** How each tensor of two dimensions is quantized in the destination, by its name without `.weight`; false if it is not. */
  readonly layers: ReadonlyMap<string, AffineQuantization | false>
  /** What stored matrices lose on their way: a sentence for each kind. */
  readonly losses: readonly string[]
}

/** A tensor that stays as it is. */
export function copyTensor(tensor: TensorInfo): ConversionStep {
  const { name, dtype, shape } = tensor
  if (isBlockType(dtype)) throw new Error(`${name} is in blocks, which only a matrix may be`)
  return {
    sources: [tensor],
    declarations: [{ name, dtype, shape }],
    async *parts(context) {
      for await (const bytes of context.stream(tensor)) yield [bytes]
    },
  }
}

/** Quantizes a matrix, or repacks one that is quantized in another way. */
function quantize(
  stored: StoredMatrix,
  declarations: readonly StoredDeclaration[],
  quantization: AffineQuantization,
): ConversionStep {
  return {
    sources: stored.tensors,
    declarations,
    async *parts(context) {
      const reader = await stored.rows(context, quantization)
      const reads = reader
        .blocks({ firstRow: 0, rows: declarations[0].shape[0] })
        .map((block) => () => block.read())
      for await (const rows of inOrder(reads, BLOCKS_AHEAD)) yield MATRIX_PARTS.map((part) => rows[part])
      await reader.finish()
    },
  }
}

/** The steps of a matrix, and how it is quantized afterwards. */
function convertMatrix(
  { name, shape: [out, columns] }: TensorSpec,
  stored: StoredMatrix,
  wanted: AffineQuantization,
): { steps: ConversionStep[]; quantization: AffineQuantization | undefined } {
  const quantization = stored.quantizationAfter(wanted)
  if (stored.isConverted || !quantization) return { steps: stored.tensors.map(copyTensor), quantization }
  const declarations = quantizedTensors(name, [out, columns], quantization)
  return { steps: [quantize(stored, declarations, quantization)], quantization }
}

/**
 * What is quantized keeps its bits. A file may have more of them for some matrices, as most GGUF files have: the fewest
 * are those that were asked for when it was made.
 * @throws `checkpoint.not-quantizable` where others are wanted
 */
function checkBits(
  checkpoint: Checkpoint,
  matrices: readonly StoredMatrix[],
  wanted: AffineQuantization,
): void {
  const bits = Math.min(...matrices.map((stored) => stored.bits ?? Number.POSITIVE_INFINITY))
  if (bits === Number.POSITIVE_INFINITY || bits === wanted.bits) return
  const [tensor] = matrices.find((stored) => stored.bits === bits)!.tensors
  throw new CheckpointError(
    'checkpoint.not-quantizable',
    `${checkpoint.name} is quantized to ${bits} bits already (${tensor.name}). Quantizing it again to ` +
      `${wanted.bits} would add errors: convert the float16 checkpoint, or ask for ${bits} bits.`,
  )
}

/**
 * Decides for every tensor of a model, and of a prefix that came with it, how it is converted.
 * @throws `checkpoint.not-quantizable` for a matrix that is quantized to other bits already; the errors of `storedMatrix`
 */
export function planConversion(checkpoint: Checkpoint, wanted: AffineQuantization): ConversionPlan {
  const layers = new Map<string, AffineQuantization | false>()
  let isCopy = true
  const matrices: StoredMatrix[] = []
  const model = tensorList(modelTensors(parseModelConfig(checkpoint.config))).flatMap((spec) => {
    if (spec.shape.length === 1) {
      return copyTensor(checkpoint.requireTensor(spec.name, { dtype: FLOAT_DTYPES, shape: spec.shape }))
    }
    const stored = storedMatrix(checkpoint, spec)
    matrices.push(stored)
    const { steps, quantization } = convertMatrix(spec, stored, wanted)
    layers.set(matrixBase(spec.name), quantization ?? false)
    isCopy &&= stored.isConverted || !quantization
    return steps
  })
  checkBits(checkpoint, matrices, wanted)
  const prefix = [...checkpoint.tensors.values()].filter(({ name }) => name.startsWith(PREFIX_ENCODER))
  for (const { name, shape } of prefix) if (shape.length === 2) layers.set(matrixBase(name), false)
  return { steps: [...model, ...prefix.map(copyTensor)], isCopy, layers, losses: lossesOf(matrices) }
}

/** The config of the destination: the source's, with the new quantization instead of the official one. */
export function convertedConfig(
  checkpoint: Checkpoint,
  wanted: AffineQuantization,
  { isCopy, layers }: ConversionPlan,
): Record<string, unknown> {
  const { quantization_bit: _, ...config } = checkpoint.config as Record<string, unknown>
  // A checkpoint in this format already keeps the description it has.
  if (isCopy && config.quantization) return config
  // MLX describes its quantization under this key as well.
  delete config.quantization_config
  const exceptions = new Map(
    [...layers].filter(
      ([, quantization]) =>
        !quantization || quantization.groupSize !== wanted.groupSize || quantization.bits !== wanted.bits,
    ),
  )
  return { ...config, quantization: formatQuantizationConfig({ ...wanted, exceptions }) }
}
