import type { AffineQuantization, Checkpoint, TensorInfo } from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import type { TensorSpec } from '../tensors.js'
import type { WeightSlice } from '../weights.js'
import type { BlockContext } from './block-context.js'
import type { MatrixRows } from './matrix-layout.js'
import type { RowBlock } from './row-blocks.js'

/**
 * A way in which checkpoints store matrices. Loading, conversion and the memory estimate know matrices by this
 * interface alone: a new way is a file of this folder and a line in `blockReaders`.
 */
export interface BlockReader {
  /**
   * What `config.json` alone tells of a matrix; undefined where it does not say that it is stored this way.
   * @param config the parsed `config.json`
   * @throws `checkpoint.config-invalid`, `checkpoint.not-quantizable`
   */
  announced(config: unknown, spec: TensorSpec): MatrixForm | undefined
  /**
   * The matrix, with every tensor of it checked against the model's shape; undefined where it is stored in another way.
   * @throws `checkpoint.tensor-missing`, `checkpoint.tensor-mismatch`, `checkpoint.config-invalid`, `checkpoint.not-quantizable`
   */
  open(checkpoint: Checkpoint, spec: TensorSpec): StoredMatrix | undefined
}

/** What becomes of a matrix [out, in], which is known without its bytes. */
export interface MatrixForm {
  /** Bits of its integers; undefined for floats. */
  readonly bits: 4 | 8 | undefined
  /**
   * How it is quantized after it is loaded or converted; undefined for float16. What is quantized keeps its bits.
   * @param wanted for floats; undefined to leave them floats
   */
  quantizationAfter(wanted: AffineQuantization | undefined): AffineQuantization | undefined
}

/** A matrix [out, in] of a checkpoint. Nothing of it is read yet. */
export interface StoredMatrix extends MatrixForm {
  /** Every tensor that it consists of. */
  readonly tensors: readonly TensorInfo[]
  /** What is lost on the way into its form, and by how much; undefined where nothing is but what quantizing floats loses. */
  readonly loss?: string
  /** Whether its integers are computed anew on the GPU: without a quantization its rows are floats. */
  readonly isRequantized?: true
  /** Whether its tensors are in this project's quantized form, so that a conversion copies them. */
  readonly isConverted: boolean
  /**
   * Prepares for reading its rows in the form that they will have.
   * @param quantization of `quantizationAfter`
   */
  rows(context: BlockContext, quantization: AffineQuantization | undefined): Promise<RowReader>
}

/** What matrices lose, a sentence for each kind with the number of them. */
export function lossesOf(matrices: Iterable<StoredMatrix>): string[] {
  const counts = new Map<string, number>()
  for (const { loss } of matrices) if (loss) counts.set(loss, (counts.get(loss) ?? 0) + 1)
  return [...counts].map(([loss, count]) => `${count} ${count === 1 ? 'matrix' : 'matrices'} of ${loss}.`)
}

/** Reads the rows of one matrix. */
export interface RowReader {
  /**
   * Cuts rows into blocks, each of which reads at most about `CHUNK_BYTES` of a tensor. The blocks in which a part of
   * the matrix lies are in the order of its rows.
   */
  blocks(rows: RowBlock): MatrixBlock[]
  /** Ends the matrix, after all its blocks. @throws `checkpoint.not-quantizable` where elements cannot be quantized */
  finish(): Promise<void>
}

/** Consecutive rows of a matrix: all parts of them or, where parts lie in tensors of their own, one part. */
export interface MatrixBlock extends RowBlock {
  /**
   * Reads the rows into host memory, as a file holds them.
   * @throws what the checkpoint throws, and the signal's reason
   */
  read(): Promise<MatrixRows>
  /**
   * Reads the rows into the buffers of a slice that contains them, and begins at an even number of rows before them.
   * @returns the bytes that now wait in host memory for the GPU
   * @throws as `read`
   */
  load(slice: WeightSlice): Promise<number>
}

/** Checks the size that a quantized matrix's tensors have together. @throws `checkpoint.tensor-mismatch` */
export function checkMatrixShape(
  { name, shape }: TensorSpec,
  linear: { readonly outFeatures: number; readonly inFeatures: number; readonly weight: TensorInfo },
): void {
  if (linear.outFeatures === shape[0] && linear.inFeatures === shape[1]) return
  throw new CheckpointError(
    'checkpoint.tensor-mismatch',
    `Tensor ${name} in ${linear.weight.file} holds a matrix of [${linear.outFeatures}, ${linear.inFeatures}]; ` +
      `[${shape.join(', ')}] is needed. Does config.json belong to these weights?`,
  )
}
