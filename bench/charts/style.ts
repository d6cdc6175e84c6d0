import type { Config } from 'vega-lite'

const INK = '#1f2430'
const MUTED = '#667085'
const GRID = '#e6e8ee'
const FONT = 'Inter, "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif'

/** Distinct for every kind of colour vision (Okabe and Ito 2008, without its yellow, too pale for lines on white). */
export const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#5d5d5d', '#8c510a']

/** What all charts have in common. */
export const STYLE: Config = {
  background: '#ffffff',
  padding: 20,
  font: FONT,
  view: { stroke: null },
  title: {
    anchor: 'start',
    color: INK,
    fontSize: 17,
    fontWeight: 600,
    subtitleColor: MUTED,
    subtitleFontSize: 12,
    subtitlePadding: 6,
    offset: 18,
  },
  axis: {
    domainColor: '#b4bac6',
    tickColor: '#b4bac6',
    gridColor: GRID,
    labelColor: MUTED,
    labelFontSize: 12,
    titleColor: INK,
    titleFontSize: 12,
    titleFontWeight: 500,
    titlePadding: 10,
  },
  legend: {
    labelColor: INK,
    labelFontSize: 12,
    titleColor: MUTED,
    titleFontSize: 11,
    titleFontWeight: 500,
    symbolSize: 90,
    labelLimit: 260,
    rowPadding: 4,
  },
  header: { labelColor: INK, labelFontSize: 12, labelFontWeight: 600, titleColor: MUTED },
  range: { category: COLORS },
}

export const INK_COLOR = INK
export const MUTED_COLOR = MUTED
