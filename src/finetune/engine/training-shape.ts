import { InvalidOptionError, type ModelBase, prefixWidth } from '../../runtime/index.js'
import type { PrefixTrainingOptions } from './training-engine.js'

/** Sizes of a training that everything is compiled and allocated for. */
export interface TrainingShape {
  readonly prefixLength: number
  /** Elements of a row of the encoder's output. */
  readonly prefixWidth: number
  /** Elements of it for one layer: keys and values. */
  readonly layerWidth: number
  /** Elements from one layer to the next where prefixes lie layer by layer. */
  readonly layerStride: number
  /** Tokens of the longest sequence. */
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

/** Large enough for the products to run at full speed; gate and up of one take 112 MB in chatglm3-6b. */
const CHUNK_ROWS = 1024
/** Their logits take 133 MB in chatglm3-6b. */
const HEAD_ROWS = 512
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

function checkOptions(
  { prefixLength, maxSequenceLength, dropout }: PrefixTrainingOptions,
  maxContextLength: number,
): void {
  if (!Number.isSafeInteger(prefixLength) || prefixLength < 1) {
    throw new InvalidOptionError('prefixLength', prefixLength, 'a whole number from 1 on')
  }
  if (
    !Number.isSafeInteger(maxSequenceLength) ||
    maxSequenceLength < 2 ||
    maxSequenceLength > maxContextLength
  ) {
    throw new InvalidOptionError(
      'maxSequenceLength',
      maxSequenceLength,
      `a whole number from 2 to ${maxContextLength}, the positions this model was made for`,
    )
  }
  if (!(dropout >= 0 && dropout < 1)) {
    throw new InvalidOptionError('dropout', dropout, 'a probability from 0 to below 1')
  }
}

/**
 * Sizes of a training.
 * @throws InvalidOptionError
 */
export function trainingShape({ gpu, config }: ModelBase, options: PrefixTrainingOptions): TrainingShape {
  checkOptions(options, config.maxContextLength)
  const { prefixLength, maxSequenceLength } = options
  const layerWidth = 2 * config.kvGroups * config.headDim
  const wanted = gpu.software ? SOFTWARE_CHUNK_ROWS : CHUNK_ROWS
  const chunks = Math.ceil(maxSequenceLength / wanted)
  // Chunks of equal size, so that the last one is not almost empty.
  const unit = gpu.software ? ALIGNED_ROWS : TILE_ROWS
  const chunkRows = roundUp(Math.ceil(maxSequenceLength / chunks), unit)
  const headRows = Math.min(gpu.software ? SOFTWARE_HEAD_ROWS : HEAD_ROWS, maxSequenceLength)
  return {
    prefixLength,
    prefixWidth: prefixWidth(config),
    layerWidth,
    layerStride: roundUp(prefixLength * layerWidth, BINDING_ALIGNMENT / 4),
    maxTokens: maxSequenceLength,
    maxRows: chunks * chunkRows,
    chunkRows,
    headRows,
    headStride: roundUp(headRows, BINDING_ALIGNMENT / 4),
  }
}
