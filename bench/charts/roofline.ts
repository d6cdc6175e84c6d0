import { type ComputeUnit, UNIT_NAMES } from '../ceilings/units.js'
import type { KernelReport } from '../kernels/report.js'
import type { Chart } from './render.js'
import { INK_COLOR, MUTED_COLOR } from './style.js'

/** Below this much work a kernel's time is that of a dispatch, and its place on the chart says nothing. */
export const LEAST_OPERATIONS = 1e6
const TERA = 1e12
const WIDTH = 600
const HEIGHT = 430

/** Powers of ten between two numbers. */
function decades(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low))
  return Array.from(
    { length: Math.max(0, Math.floor(Math.log10(high)) - first + 1) },
    (_, i) => 10 ** (first + i),
  )
}

/** Kernels in the plane of arithmetic intensity and operations a second, under what the device allows. */
export function rooflineChart({ ceilings, kernels }: KernelReport, subtitle: string): Chart | undefined {
  const points = kernels
    .filter(({ operations }) => operations >= LEAST_OPERATIONS)
    .map(({ kernel, variant, shape, bytes, operations, seconds }) => ({
      kernel,
      name: `${kernel} ${variant} ${shape}`,
      intensity: operations / bytes,
      rate: operations / seconds.median / TERA,
    }))
  if (points.length === 0) return undefined
  const read = ceilings.read.median / TERA
  const roofs = Object.entries(ceilings.compute).map(([unit, { median }]) => ({
    name: UNIT_NAMES[unit as ComputeUnit],
    peak: median / TERA,
  }))
  const highest = Math.max(...roofs.map(({ peak }) => peak))
  const ridge = highest / read
  const left = Math.min(...points.map(({ intensity }) => intensity), ridge / 10) / 2
  const right = Math.max(...points.map(({ intensity }) => intensity), ridge) * 2
  const bottom = Math.min(...points.map(({ rate }) => rate), left * read) / 2
  const top = highest * 2
  const x = {
    field: 'intensity',
    type: 'quantitative' as const,
    scale: { type: 'log' as const, domain: [left, right], nice: false },
    axis: {
      title: 'operations for each byte that has to be moved',
      format: ',~g',
      values: decades(left, right),
    },
  }
  const y = {
    field: 'rate',
    type: 'quantitative' as const,
    scale: { type: 'log' as const, domain: [bottom, top], nice: false },
    axis: { title: 'TFLOP/s', format: ',~g', values: decades(bottom, top) },
  }
  const steepness = HEIGHT / Math.log(top / bottom) / (WIDTH / Math.log(right / left))
  const roof = { strokeWidth: 1.75, color: INK_COLOR, opacity: 0.8 }
  const note = { fontSize: 11, color: MUTED_COLOR }
  const text = { field: 'text', type: 'nominal' as const }
  const middle = Math.sqrt(left * ridge)
  return {
    name: 'roofline',
    spec: {
      title: { text: 'Kernels under the roofline', subtitle },
      width: WIDTH,
      height: HEIGHT,
      layer: [
        {
          data: { values: [left, ridge].map((intensity) => ({ intensity, rate: intensity * read })) },
          mark: { type: 'line', ...roof },
          encoding: { x, y },
        },
        {
          data: {
            values: roofs.flatMap(({ name, peak }) =>
              [peak / read, right].map((intensity) => ({ name, intensity, rate: peak })),
            ),
          },
          mark: { type: 'line', ...roof, strokeDash: [5, 4] },
          encoding: { x, y, detail: { field: 'name', type: 'nominal' } },
        },
        {
          data: {
            values: roofs.map(({ name, peak }) => ({
              intensity: right,
              rate: peak,
              text: `${name}: ${peak.toPrecision(3)}`,
            })),
          },
          mark: { type: 'text', ...note, align: 'left', dx: 8 },
          encoding: { x, y, text },
        },
        {
          data: {
            values: [
              { intensity: middle, rate: middle * read, text: `reading: ${read.toPrecision(3)} TB/s` },
            ],
          },
          mark: { type: 'text', ...note, angle: (-Math.atan(steepness) * 180) / Math.PI, dy: -9 },
          encoding: { x, y, text },
        },
        {
          data: { values: points },
          mark: { type: 'point', filled: true, size: 70, opacity: 0.85 },
          encoding: {
            x,
            y,
            color: {
              field: 'kernel',
              type: 'nominal',
              sort: null,
              legend: { title: null, orient: 'top', columns: 4 },
            },
            shape: { field: 'kernel', type: 'nominal', sort: null },
            description: { field: 'name', type: 'nominal' },
          },
        },
      ],
    },
  }
}
