import { type Progress, SOURCE_SHAPE, type SourceOptions } from '../../checkpoint/index.js'
import { signal as abortSignal, callback, flag, type OptionShape } from '../../schema/index.js'

/** Options of everything that writes a checkpoint anew: conversions, exports, merges. */
export interface WriteOptions extends SourceOptions {
  /** Begins anew where the destination holds an unfinished one with other settings. */
  readonly restart?: boolean
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export const WRITE_SHAPE: OptionShape<WriteOptions> = {
  ...SOURCE_SHAPE,
  restart: flag,
  onProgress: callback,
  signal: abortSignal,
}
