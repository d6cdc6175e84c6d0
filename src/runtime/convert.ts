import type { AffineQuantization, SinkLocation, SourceLocation, SourceOptions } from '../checkpoint/index.js'
import type { DeviceChoice } from './adapter.js'
import type { Progress } from './load-model.js'

export interface ConvertOptions extends SourceOptions {
  /** Default: 4 bits in groups of 64. */
  readonly quantization?: Partial<AffineQuantization>
  /** Begins anew where the destination holds an unfinished conversion with other settings. */
  readonly restart?: boolean
  /** Default: the fastest adapter there is. */
  readonly device?: DeviceChoice
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}
