import type { ErrorCode } from '../../src/index.js'
import type { Ceilings } from '../ceilings/ceilings.js'
import type { KernelReport } from '../kernels/report.js'
import type { ModelReport } from '../model/report.js'

/** What is measured: single kernels, or a whole model. */
export type BenchPart = 'kernels' | 'model'

/** What the page asks of the worker, once. It ends the worker to stop it. */
export interface BenchRequest {
  readonly parts: readonly BenchPart[]
  /** Random weights in this shape. */
  readonly shape: 'tiny' | 'chatglm3-6b'
}

export type BenchStage = 'device' | 'ceilings' | 'kernels' | 'prepare' | 'prefill' | 'decode'

/** What the worker tells, as it gets on. Reports grow until `done`. */
export type BenchEvent =
  | { readonly type: 'stage'; readonly stage: BenchStage; readonly name: string; readonly share: number }
  | { readonly type: 'ceilings'; readonly ceilings: Ceilings }
  | { readonly type: 'kernels'; readonly report: KernelReport }
  | { readonly type: 'model'; readonly report: ModelReport }
  | { readonly type: 'done' }
  | {
      readonly type: 'failed'
      readonly name: string
      readonly message: string
      /** Of errors of the library. */
      readonly code?: ErrorCode
    }
