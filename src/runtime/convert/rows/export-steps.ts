import {
  type Checkpoint,
  type FloatDType,
  float32ToFloat16,
  type StoredDeclaration,
  type TensorInfo,
  toFloat32,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import { ownedBytes } from '../../../platform/index.js'
import {
  type BlockContext,
  blockRows,
  FLOAT_DTYPES,
  inOrder,
  type MatrixRows,
  type RowReader,
  type StoredMatrix,
  storedMatrix,
  type TensorSpec,
} from '../../model/index.js'
import type { ConversionStep } from '../conversion-plan.js'
import type { EncodedRows, RowForm } from './encode-rows.js'
import type { RowEncoder } from './row-encoder.js'

/** Slabs that are read and encoded ahead of the one being written, beside those that threads work on. */
const SLABS_AHEAD = 2

/** How far what was written is from what was read. */
class ErrorSum {
  #squaredError = 0
  #squares = 0

  add({ squaredError, squares }: EncodedRows): void {
    this.#squaredError += squaredError
    this.#squares += squares
  }

  /** The root mean square of the differences, relative to that of the elements. */
  get relative(): number {
    return this.#squares === 0 ? 0 : Math.sqrt(this.#squaredError / this.#squares)
  }
}

/** Makes the steps by which tensors of a checkpoint become those of another tool. */
export class ExportSteps {
  readonly #checkpoint: Checkpoint
  readonly #encoder: RowEncoder
  readonly #error = new ErrorSum()

  constructor(checkpoint: Checkpoint, encoder: RowEncoder) {
    this.#checkpoint = checkpoint
    this.#encoder = encoder
  }

  /**
   * How far the matrices that were quantized are from those of the source: the root mean square of the differences,
   * relative to that of the elements. 0 where nothing was lost.
   */
  get relativeError(): number {
    return this.#error.relative
  }

  /**
   * A matrix in another form.
   * @param declarations of the form's parts
   * @throws as `storedMatrix`
   */
  matrix(spec: TensorSpec, form: RowForm, declarations: readonly StoredDeclaration[]): ConversionStep {
    const stored = storedMatrix(this.#checkpoint, spec)
    const encoded = (context: BlockContext) => this.#encoded(context, stored, spec, form)
    const error = this.#error
    return {
      sources: stored.tensors,
      declarations,
      async *parts(context) {
        for await (const rows of encoded(context)) {
          if (!Number.isFinite(rows.squares)) {
            throw new CheckpointError(
              'checkpoint.not-quantizable',
              `Tensor ${spec.name} has elements that are NaN or infinite. The file is damaged, or the training diverged.`,
            )
          }
          error.add(rows)
          yield rows.parts
        }
      },
    }
  }

  /** A vector of floats. */
  vector({ name, shape }: TensorSpec, declaration: StoredDeclaration): ConversionStep {
    const tensor = this.#checkpoint.requireTensor(name, { dtype: FLOAT_DTYPES, shape })
    return {
      sources: [tensor],
      declarations: [declaration],
      parts: (context) => floatsOfVector(context, tensor, declaration.dtype as FloatDType),
    }
  }

  /** All rows of a matrix, some at a time. */
  async *#encoded(
    context: BlockContext,
    stored: StoredMatrix,
    { shape: [out, columns] }: TensorSpec,
    form: RowForm,
  ): AsyncGenerator<EncodedRows> {
    const quantization = stored.isRequantized ? undefined : stored.quantizationAfter(undefined)
    const reader = await stored.rows(context, quantization)
    const slab = blockRows(columns * 4)
    const jobs = Array.from({ length: Math.ceil(out / slab) }, (_, index) => {
      const firstRow = index * slab
      return async () => {
        const rows = await readRows(reader, firstRow, Math.min(slab, out - firstRow))
        return this.#encoder.run({
          rows: Object.fromEntries(Object.entries(rows).map(([part, bytes]) => [part, ownedBytes(bytes)])),
          quantization,
          columns,
          form,
        })
      }
    })
    yield* inOrder(jobs, this.#encoder.parallel + SLABS_AHEAD)
    await reader.finish()
  }
}

async function* floatsOfVector(
  context: BlockContext,
  tensor: TensorInfo,
  dtype: FloatDType,
): AsyncGenerator<[Uint8Array]> {
  const bytes = await context.read(tensor, 0, 1, tensor.byteLength)
  yield [floatBytes(toFloat32(bytes, tensor.dtype as FloatDType), dtype)]
}

/** The bytes of floats in a dtype, F16 or F32. */
export function floatBytes(values: Float32Array, dtype: FloatDType): Uint8Array {
  const { buffer, byteOffset, byteLength } = dtype === 'F16' ? float32ToFloat16(values) : values
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** All parts of some rows. A reader may have them in blocks of their own. */
async function readRows(reader: RowReader, firstRow: number, rows: number): Promise<MatrixRows> {
  const parts: Partial<Record<keyof MatrixRows, Uint8Array[]>> = {}
  for (const block of reader.blocks({ firstRow, rows })) {
    for (const [part, bytes] of Object.entries(await block.read()) as [keyof MatrixRows, Uint8Array][]) {
      parts[part] = [...(parts[part] ?? []), bytes]
    }
  }
  const joined = Object.entries(parts).map(([part, pieces]) => [part, join(pieces)] as const)
  return Object.fromEntries(joined) as MatrixRows
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]
  const joined = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.byteLength
  }
  return joined
}
