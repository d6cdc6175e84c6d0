import { CheckpointError } from '../../errors/index.js'
import { type DType, tensorBytes } from './dtype.js'
import type { StoredType } from './ggml-types.js'

/** What a file says about one of its tensors. */
export interface TensorLayout {
  readonly dtype: StoredType
  /** The dimensions; the elements lie in row-major order. */
  readonly shape: readonly number[]
  readonly byteLength: number
}

/** A file of tensors whose directory has been read and checked. */
export interface TensorFile {
  /** The file's path in its source. */
  readonly path: string
  readonly tensors: ReadonlyMap<string, TensorLayout>
  /** Where the bytes of a tensor of {@link tensors} begin in the file. */
  offsetOf(name: string, signal?: AbortSignal): Promise<number>
}

/** A tensor to be written; its bytes are whole blocks where the type is one of blocks. */
export interface StoredDeclaration {
  readonly name: string
  readonly dtype: StoredType
  /** The rows first. */
  readonly shape: readonly number[]
}

/** A tensor of elements to be written. */
export interface TensorDeclaration extends StoredDeclaration {
  readonly dtype: DType
}

/** A tensor to be written, with its bytes: row-major, little-endian. */
export interface TensorWithBytes extends TensorDeclaration {
  readonly bytes: Uint8Array
}

/** @throws `checkpoint.tensor-mismatch` where a tensor's bytes are not as many as its dtype and shape need */
export function checkBytes(tensors: readonly TensorWithBytes[]): void {
  for (const { name, dtype, shape, bytes } of tensors) {
    const needed = tensorBytes(dtype, shape)
    if (needed !== bytes.byteLength) {
      throw new CheckpointError(
        'checkpoint.tensor-mismatch',
        `Tensor ${name} of dtype ${dtype} and shape [${shape.join(', ')}] needs ${needed} bytes, not ${bytes.byteLength}.`,
      )
    }
  }
}
