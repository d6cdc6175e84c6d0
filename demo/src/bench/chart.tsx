import { effect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatNumber } from '../i18n/format.js'
import { isDark } from '../shell/theme.js'

interface ChartProps {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  /** By x. */
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const HEIGHT = 190

function colors() {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  return { line: color('--accent'), grid: color('--line'), text: color('--text-faint') }
}

function options({ xLabel, yLabel }: ChartProps, width: number): uPlot.Options {
  const { line, grid, text } = colors()
  const axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    labelSize: 18,
    labelGap: 0,
  }
  const numbers = (_: uPlot, values: (number | null)[]) =>
    values.map((value) => (value === null ? '' : formatNumber(value)))
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 12, 0, 0],
    scales: {
      x: { time: false, range: (_, min, max) => [min * 0.9, max * 1.02] },
      y: { range: (_, __, max) => [0, max * 1.12 || 1] },
    },
    axes: [
      { ...axis, label: xLabel, values: numbers, grid: { show: false }, size: 28 },
      { ...axis, label: yLabel, values: numbers, size: 52 },
    ],
    series: [{}, { stroke: line, width: 2, points: { show: true, size: 7, fill: line, stroke: line } }],
  }
}

/** A line through measured points. The table beside it says the same in numbers. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const { title, points } = props
  useEffect(() => {
    const element = place.current
    if (!element) return
    const sorted = [...points].sort((a, b) => a.x - b.x)
    const data: uPlot.AlignedData = [sorted.map(({ x }) => x), sorted.map(({ y }) => y)]
    let plot: uPlot | undefined
    // Canvas has no style sheet: another appearance is another drawing.
    const stop = effect(() => {
      isDark.value
      plot?.destroy()
      plot = new uPlot(options(props, element.clientWidth), data, element)
    })
    const observer = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      stop()
      plot?.destroy()
    }
  }, [props, points])
  return (
    <figure class="chart" aria-label={title}>
      <h3>{title}</h3>
      <div ref={place} aria-hidden="true" />
    </figure>
  )
}
