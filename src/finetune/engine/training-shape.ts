import { invalidOption } from '../../errors/index.js'
import { canRunTrainingAttentionSubgroup } from '../../kernels/index.js'
import { activationWidths, LAYER_PRODUCTS, type ModelBase, prefixWidth } from '../../runtime/model/index.js'
import type { LoraTrainingOptions, ModelTrainingOptions, PrefixTrainingOptions } from './training-engine.js'

/** Sizes of a training that everything is compiled and allocated for. */
export interface TrainingShape {
  /** Rows of the prefix; 0 where none is trained. */
  readonly prefixLength: number
  /** Whether several sequences go through the model at once, one behind the other. */
  readonly packed: boolean
  /** Elements of a row of the encoder's output. */
  readonly prefixWidth: number
  /** Elements of it for one layer: keys and values. */
  readonly layerWidth: number
  /** Elements from one layer to the next where prefixes lie layer by layer. */
  readonly layerStride: number
  /** Tokens that go through the model at once: those of the longest sequence, where they are not packed more. */
  readonly maxTokens: number
  /** Rows that activations have room for: whole chunks. */
  readonly maxRows: number
  /** Rows that go through the feed-forward part of a layer at a time. */
  readonly chunkRows: number
  /** Rows whose logits are computed at a time. */
  readonly headRows: number
  /** Words from one chunk of targets to the next. */
  readonly headStride: number
}

/** Gate and up of a chunk: 1024 rows in chatglm3-6b, enough for the products to run at full speed. */
const CHUNK_BYTES = 1024 * 2 * 13696 * 4
/** Logits of a chunk: 512 rows in chatglm3-6b. */
const HEAD_BYTES = 512 * 65024 * 4
/** Software adapters gain nothing from more, and tests then see several chunks. */
const SOFTWARE_CHUNK_ROWS = 32
const SOFTWARE_HEAD_ROWS = 16

/** Ranges of buffers begin at multiples of this many bytes. */
const BINDING_ALIGNMENT = 256
/** Chunks are whole tiles of the products, which store them faster than parts of one. */
const TILE_ROWS = 128
/** Rows, which are multiples of 32 bytes, that make such a multiple. */
const ALIGNED_ROWS = BINDING_ALIGNMENT / 32

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

function checkDropout(dropout: number): void {
  if (!(dropout >= 0 && dropout < 1)) {
    throw invalidOption('dropout', dropout, 'a probability from 0 to below 1')
  }
}

function checkSequenceLength(maxSequenceLength: number, maxContextLength: number): void {
  if (
    !Number.isSafeInteger(maxSequenceLength) ||
    maxSequenceLength < 2 ||
    maxSequenceLength > maxContextLength
  ) {
    throw invalidOption(
      'maxSequenceLength',
      maxSequenceLength,
      `a whole number from 2 to ${maxContextLength}, the positions this model was made for`,
    )
  }
}

/**
 * Sizes of the training of a prefix.
 * @throws `option.invalid`
 */
export function prefixTrainingShape(base: ModelBase, options: PrefixTrainingOptions): TrainingShape {
  const { prefixLength, maxSequenceLength, dropout } = options
  if (!Number.isSafeInteger(prefixLength) || prefixLength < 1) {
    throw invalidOption('prefixLength', prefixLength, 'a whole number from 1 on')
  }
  checkSequenceLength(maxSequenceLength, base.config.maxContextLength)
  checkDropout(dropout)
  const { maxTokens = maxSequenceLength } = options
  const packed =
    maxTokens > maxSequenceLength && dropout === 0 && !canRunTrainingAttentionSubgroup(base.gpu, base.config)
  return shapeOf(base, { prefixLength, maxTokens: packed ? maxTokens : maxSequenceLength, packed })
}

/**
 * Sizes of the training of LoRA.
 * @throws `option.invalid`
 */
export function loraTrainingShape(base: ModelBase, options: LoraTrainingOptions): TrainingShape {
  const { rank, roles, dropout, maxSequenceLength, maxTokens = maxSequenceLength } = options
  const widths = activationWidths(base.config)
  const matrices = LAYER_PRODUCTS.filter(({ weight }) => roles.includes(weight))
  const most = Math.min(...matrices.flatMap(({ x, y }) => [widths[x], widths[y]]))
  if (!Number.isSafeInteger(rank) || rank < 1 || rank > most) {
    throw invalidOption(
      'rank',
      rank,
      `a whole number from 1 to ${most}, the smaller side of the smallest matrix`,
    )
  }
  checkSequenceLength(maxSequenceLength, base.config.maxContextLength)
  checkDropout(dropout)
  const packed = maxTokens > maxSequenceLength && !canRunTrainingAttentionSubgroup(base.gpu, base.config)
  return shapeOf(base, { prefixLength: 0, maxTokens: packed ? maxTokens : maxSequenceLength, packed })
}

/**
 * Sizes of the training of all weights.
 * @throws `option.invalid`
 */
export function modelTrainingShape(base: ModelBase, options: ModelTrainingOptions): TrainingShape {
  const { maxSequenceLength, maxTokens } = options
  checkSequenceLength(maxSequenceLength, base.config.maxContextLength)
  if (!Number.isSafeInteger(maxTokens) || maxTokens < maxSequenceLength) {
    throw invalidOption('maxTokens', maxTokens, `a whole number from ${maxSequenceLength} up`)
  }
  return shapeOf(base, { prefixLength: 0, maxTokens, packed: true })
}

/** Sizes of a training on a device, of which it matters only whether it is a software adapter. */
export function shapeOf(
  { gpu, config }: { readonly gpu: Pick<ModelBase['gpu'], 'software'>; readonly config: ModelBase['config'] },
  { prefixLength, maxTokens, packed }: Pick<TrainingShape, 'prefixLength' | 'maxTokens' | 'packed'>,
): TrainingShape {
  const layerWidth = 2 * config.kvGroups * config.headDim
  const wanted = gpu.software ? SOFTWARE_CHUNK_ROWS : Math.floor(CHUNK_BYTES / (8 * config.ffn))
  const chunks = Math.ceil(maxTokens / wanted)
  // Chunks of equal size, so that the last one is not almost empty.
  const unit = gpu.software ? ALIGNED_ROWS : TILE_ROWS
  const chunkRows = roundUp(Math.ceil(maxTokens / chunks), unit)
  const headChunk = gpu.software ? SOFTWARE_HEAD_ROWS : Math.floor(HEAD_BYTES / (4 * config.vocabulary))
  const headRows = Math.min(headChunk, maxTokens)
  return {
    prefixLength,
    packed,
    prefixWidth: prefixWidth(config),
    layerWidth,
    // Something to bind is there also without a prefix.
    layerStride: roundUp(Math.max(1, prefixLength * layerWidth), BINDING_ALIGNMENT / 4),
    maxTokens,
    maxRows: chunks * chunkRows,
    chunkRows,
    headRows,
    headStride: roundUp(headRows, BINDING_ALIGNMENT / 4),
  }
}
