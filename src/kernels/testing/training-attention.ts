import type { HeadShape } from '../common/heads.js'
import { sequenceBounds, type TrainingAttentionConstants } from '../common/training-attention.js'
import { attentionTrainingReference } from '../training/attention-training/attention-training.reference.js'
import type { TestGpu } from './gpu.js'
import { randomNormal } from './numbers.js'

/** Random sequences behind a random prefix, which lies behind another layer's in its buffer. */
export interface TrainingCase extends HeadShape {
  readonly prefixLength: number
  readonly rows: number
  /** Rows of each sequence, where they are packed. */
  readonly lengths?: readonly number[]
  readonly maxRows?: number
  readonly deviation?: number
}

/** The layer whose columns of the prefix are used, and how many there are. */
const LAYER = { index: 1, count: 3 }

/**
 * Buffers of attention in training for a random sequence. Rows behind it are NaN, and so are the other layers'
 * columns of the prefix.
 */
export function trainingAttentionCase(test: TestGpu, shape: TrainingCase) {
  const { heads, kvGroups, headDim, prefixLength, rows, maxRows = rows + 3, lengths } = shape
  const { deviation = 1 } = shape
  const slab = 2 * kvGroups * headDim
  const prefixStride = LAYER.count * slab
  const constants: TrainingAttentionConstants = {
    heads,
    kvGroups,
    headDim,
    prefixLength,
    prefixStride,
    maxRows,
    ...(lengths && { packed: true }),
  }
  const offset = LAYER.index * slab
  const padded = (values: Float32Array, length: number) => {
    const all = new Float32Array(length).fill(Number.NaN)
    all.set(values)
    return all
  }
  const qkvWidth = (heads + 2 * kvGroups) * headDim
  const qkv = randomNormal(rows * qkvWidth, 1, deviation)
  // A buffer has something to bind also where there is no prefix.
  const prefix = randomNormal(Math.max(prefixLength, 1) * prefixStride, 2)
  const layers = prefix.map((value, i) => {
    const column = (i % prefixStride) - offset
    return column >= 0 && column < slab ? value : Number.NaN
  })
  const prefixBuffer = test.input(layers, 'prefix')
  const buffers = {
    sequences: test.input(new Uint32Array([rows, ...(lengths ? sequenceBounds(lengths) : [])]), 'sequences'),
    qkv: test.input(padded(qkv, maxRows * qkvWidth), 'qkv'),
    prefix: { buffer: prefixBuffer, offset: offset * 4, size: prefixBuffer.size - offset * 4 },
    y: test.output(maxRows * heads * headDim, 'y'),
    logSumExp: test.output(maxRows * heads, 'logSumExp'),
  }
  /** The layer's columns, at the beginning of rows of the same length. */
  const layer = Float32Array.from(prefix, (_, i) => prefix[i + offset] ?? 0)
  const expected = attentionTrainingReference(qkv, layer, constants, rows, lengths)
  return { constants, buffers, qkv, layer, expected, offset, slab }
}
