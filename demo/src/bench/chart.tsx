import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { axes, LivePlot, type PlotColors } from '../ui/plot.js'

interface ChartProps {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  /** By x. */
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const HEIGHT = 190

function options(
  { xLabel, yLabel }: ChartProps,
  colors: PlotColors,
): Omit<uPlot.Options, 'width' | 'height'> {
  const { line } = colors
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 12, 0, 0],
    scales: {
      x: { time: false, range: (_, min, max) => [min * 0.9, max * 1.02] },
      y: { range: (_, __, max) => [0, max * 1.12 || 1] },
    },
    axes: axes(xLabel, yLabel, colors),
    series: [{}, { stroke: line, width: 2, points: { show: true, size: 7, fill: line, stroke: line } }],
  }
}

/** A line through measured points. The table beside it says the same in numbers. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const { title, points } = props
  useEffect(() => {
    if (!place.current) return
    const sorted = [...points].sort((a, b) => a.x - b.x)
    const data: uPlot.AlignedData = [sorted.map(({ x }) => x), sorted.map(({ y }) => y)]
    const plot = new LivePlot(place.current, HEIGHT, data, (colors) => options(props, colors))
    return () => plot.destroy()
  }, [props, points])
  return (
    <figure class="chart" aria-label={title}>
      <h3>{title}</h3>
      <div ref={place} aria-hidden="true" />
    </figure>
  )
}
