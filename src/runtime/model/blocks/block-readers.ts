import { type Checkpoint, matrixBase } from '../../../checkpoint/index.js'
import { refuseForeignMatrix } from '../other-models.js'
import type { TensorSpec } from '../tensors.js'
import { affineReader } from './affine.js'
import type { BlockReader, MatrixForm, StoredMatrix } from './block-reader.js'
import { floatReader } from './float.js'
import { ggmlReader } from './ggml.js'
import { officialReader } from './official.js'

/** Every way in which a matrix may be stored. The first that knows it counts; the last one takes what is left. */
export const blockReaders: readonly BlockReader[] = [affineReader, officialReader, ggmlReader, floatReader]

function first<T>(ask: (reader: BlockReader) => T | undefined): T {
  for (const reader of blockReaders) {
    const found = ask(reader)
    if (found !== undefined) return found
  }
  throw new Error('the last reader takes every matrix')
}

/**
 * Finds out how a matrix is stored and checks every tensor of it against the model's shape.
 * @throws `checkpoint.tensor-missing`, `checkpoint.tensor-mismatch`, `checkpoint.config-invalid`, `checkpoint.not-quantizable`
 */
export function storedMatrix(checkpoint: Checkpoint, spec: TensorSpec): StoredMatrix {
  refuseForeignMatrix(checkpoint.tensors, matrixBase(spec.name))
  return first((reader) => reader.open(checkpoint, spec))
}

/**
 * What a parsed `config.json` tells of a matrix, before its checkpoint is there.
 * @throws `checkpoint.config-invalid`, `checkpoint.not-quantizable`
 */
export function announcedMatrix(config: unknown, spec: TensorSpec): MatrixForm {
  return first((reader) => reader.announced(config, spec))
}
