import type { Ceilings } from '../ceilings/ceilings.js'
import { type ComputeUnit, UNIT_NAMES } from '../ceilings/units.js'
import type { Environment } from '../common/environment.js'
import { spread } from '../common/statistics.js'
import { digits, duration, percent, table } from '../common/table.js'
import type { KernelResult } from './measure.js'

/** The results of `bench:kernels`, as they are in its JSON. */
export interface KernelReport {
  readonly kind: 'kernels'
  readonly version: 1
  readonly environment: Environment
  /** What the times come from. */
  readonly clock: 'timestamps' | 'wall clock'
  readonly ceilings: Ceilings
  readonly kernels: readonly KernelResult[]
  /** Cases that could not be measured, and why. */
  readonly failures: readonly { readonly case: string; readonly problem: string }[]
}

/** Lines about the ceilings, for people. */
export function ceilingLines({ read, compute }: Ceilings): string[] {
  const rates = Object.entries(compute).map(
    ([unit, { median }]) => `${UNIT_NAMES[unit as ComputeUnit]} ${digits(median / 1e12)} TFLOP/s`,
  )
  return [`ceilings: read ${digits(read.median / 1e12)} TB/s, ${rates.join(', ')}`]
}

export const KERNEL_COLUMNS = [
  'kernel',
  'variant',
  'shape',
  'time',
  '+-',
  'TB/s',
  'TFLOP/s',
  'of ceiling',
  'error',
]

/** A line of the table. */
export function kernelRow({
  kernel,
  variant,
  shape,
  seconds,
  bytes,
  operations,
  fraction,
  error,
}: KernelResult): string[] {
  return [
    kernel,
    variant,
    shape,
    duration(seconds.median),
    percent(spread(seconds)),
    digits(bytes / seconds.median / 1e12),
    digits(operations / seconds.median / 1e12),
    percent(fraction),
    error === 0 ? '0' : error.toExponential(1),
  ]
}

export function kernelTable(results: readonly KernelResult[]): string {
  return table(KERNEL_COLUMNS, results.map(kernelRow))
}
