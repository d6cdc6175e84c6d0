import type { TopLevelSpec } from 'vega-lite'
import { INK_COLOR, MUTED_COLOR } from './style.js'

/** A horizontal bar. */
export interface Bar {
  readonly name: string
  readonly value: number
  /** What is written at its end. */
  readonly note: string
}

/** Bars that belong together, under a heading. */
export interface BarGroup {
  readonly heading: string
  readonly color: string
  readonly bars: readonly Bar[]
}

export interface BarAxis {
  readonly title: string | null
  readonly format: string
  /** The end of the axis, where groups share it. */
  readonly end?: number
}

/** Groups of horizontal bars, one below the other, in the order given. */
export function barChart(
  title: string,
  subtitle: string,
  groups: readonly BarGroup[],
  axis: BarAxis,
): TopLevelSpec {
  return {
    title: { text: title, subtitle },
    spacing: 22,
    vconcat: groups.map(({ heading, color, bars }) => ({
      title: { text: heading, fontSize: 12, fontWeight: 600, color: INK_COLOR, offset: 6, frame: 'group' },
      data: { values: [...bars] },
      width: 420,
      height: { step: 18 },
      encoding: {
        y: {
          field: 'name',
          type: 'nominal',
          sort: bars.map(({ name }) => name),
          axis: {
            title: null,
            ticks: false,
            domain: false,
            labelLimit: 0,
            labelFontSize: 11,
            labelPadding: 6,
          },
        },
        x: {
          field: 'value',
          type: 'quantitative',
          scale: axis.end === undefined ? { zero: true } : { domain: [0, axis.end] },
          axis: { title: axis.title, format: axis.format, tickCount: 5, domain: false, ticks: false },
        },
      },
      layer: [
        { mark: { type: 'bar', height: 12, cornerRadiusEnd: 2, color } },
        {
          mark: { type: 'text', align: 'left', dx: 5, fontSize: 11, color: MUTED_COLOR },
          encoding: { text: { field: 'note', type: 'nominal' } },
        },
      ],
    })),
  }
}
