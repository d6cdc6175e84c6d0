import { percent } from '../common/table.js'
import type { KernelReport } from '../kernels/report.js'
import { barChart } from './bars.js'
import type { Chart } from './render.js'
import { LEAST_OPERATIONS } from './roofline.js'
import { COLORS } from './style.js'

/** How near each kernel comes to what the device allows at its shape. */
export function fractionChart({ kernels }: KernelReport, subtitle: string): Chart | undefined {
  const large = kernels.filter(({ operations }) => operations >= LEAST_OPERATIONS)
  if (large.length === 0) return undefined
  const groups = [...new Set(large.map(({ kernel }) => kernel))].map((kernel, index) => ({
    heading: kernel,
    color: COLORS[index % COLORS.length],
    bars: large
      .filter((result) => result.kernel === kernel)
      .map(({ variant, shape, fraction }) => ({
        name: [variant, shape].filter(Boolean).join('  ·  '),
        value: Math.min(1, fraction),
        note: percent(fraction),
      })),
  }))
  const axis = { title: null, format: '.0%', end: 1 }
  return { name: 'kernels', spec: barChart('Share of what the device allows', subtitle, groups, axis) }
}
