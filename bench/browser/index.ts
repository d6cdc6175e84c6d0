/** What a page may know of the benchmarks: it runs `worker.ts` in a Web Worker, and shows what that one tells. */
export { type Ceilings, floorSeconds } from '../ceilings/ceilings.js'
export { type ComputeUnit, UNIT_NAMES } from '../ceilings/units.js'
export { rate, type Summary } from '../common/statistics.js'
export type { KernelResult } from '../kernels/measure.js'
export type { KernelReport } from '../kernels/report.js'
export type { ModelReport } from '../model/report.js'
export type { BenchEvent, BenchPart, BenchRequest, BenchStage } from './protocol.js'
