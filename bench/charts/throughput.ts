import { rate, type Summary } from '../common/statistics.js'
import type { DecodeResult, PrefillResult } from '../model/measure.js'
import type { Chart } from './render.js'

/** What one system reached. */
export interface ThroughputSeries {
  readonly name: string
  readonly prefill: readonly PrefillResult[]
  readonly decode: readonly DecodeResult[]
}

interface Point extends Pick<Summary, 'low' | 'high'> {
  readonly series: string
  readonly length: number
  readonly rate: number
}

function pointsOf(series: string, length: number, tokens: number, seconds: Summary): Point {
  const { median, low, high } = rate(tokens, seconds)
  return { series, length, rate: median, low, high }
}

/** Points whose figure does not lie on that of a faster series. */
function labelled(points: readonly Point[], highest: number): Point[] {
  return points.filter((point) =>
    points.every(
      ({ length, high }) =>
        length !== point.length || high <= point.high || high - point.high > highest * 0.06,
    ),
  )
}

/** Lines of tokens a second over a number of tokens, with the range of the repetitions. */
function throughputChart(
  name: string,
  title: string,
  subtitle: string,
  lengthTitle: string,
  points: readonly Point[],
): Chart {
  const lengths = [...new Set(points.map(({ length }) => length))].sort((a, b) => a - b)
  const several = new Set(points.map(({ series }) => series)).size > 1
  const order = [...new Set(points.map(({ series }) => series))]
  const highest = Math.max(...points.map(({ high }) => high))
  const x = {
    field: 'length',
    type: 'quantitative' as const,
    scale: { type: 'log' as const, base: 2, nice: false, padding: 24 },
    axis: { title: lengthTitle, values: lengths, grid: false, format: ',d', labelOverlap: true },
  }
  const scale = { domain: [0, highest * 1.12] }
  const axis = { title: 'tokens a second', format: ',.0f', tickCount: 6, domain: false, ticks: false }
  return {
    name,
    spec: {
      title: { text: title, subtitle },
      data: { values: [...points] },
      width: 620,
      height: 320,
      encoding: {
        x,
        color: {
          field: 'series',
          type: 'nominal',
          scale: { domain: order },
          legend: several
            ? { title: null, orient: 'top', columns: 2, symbolType: 'circle', symbolOpacity: 1 }
            : null,
        },
      },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 6, opacity: 0.25, strokeCap: 'round' },
          encoding: { y: { field: 'low', type: 'quantitative', scale, axis }, y2: { field: 'high' } },
        },
        {
          mark: {
            type: 'line',
            strokeWidth: 2.5,
            point: { filled: true, size: 60 },
          },
          encoding: { y: { field: 'rate', type: 'quantitative', scale, axis } },
        },
        {
          data: { values: labelled(points, highest) },
          mark: { type: 'text', dy: -12, fontSize: 11 },
          encoding: {
            y: { field: 'high', type: 'quantitative', scale, axis },
            text: { field: 'rate', type: 'quantitative', format: ',.3~r' },
          },
        },
      ],
    },
  }
}

/** Decoding over the context, and prefill over the length of the prompt. */
export function throughputCharts(series: readonly ThroughputSeries[], subtitle: string): Chart[] {
  const decode = series.flatMap(({ name, decode }) =>
    decode
      .filter(({ prefix }) => prefix === 0)
      .map(({ context, seconds }) => pointsOf(name, context, 1, seconds)),
  )
  const prefill = series.flatMap(({ name, prefill }) =>
    prefill.map(({ tokens, seconds }) => pointsOf(name, tokens, tokens, seconds)),
  )
  return [
    ...(decode.length > 0
      ? [throughputChart('decode', 'Decoding one sequence', subtitle, 'tokens in the context', decode)]
      : []),
    ...(prefill.length > 0
      ? [throughputChart('prefill', 'Computing a prompt', subtitle, 'tokens in the prompt', prefill)]
      : []),
  ]
}
