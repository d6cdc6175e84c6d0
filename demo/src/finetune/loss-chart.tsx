import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { smoothLosses } from '../../../src/finetune.js'
import { formatNumber } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { axes, LivePlot, type PlotColors } from '../ui/plot.js'
import { type LossPoint, losses } from './training-run.js'

const HEIGHT = 240
/** Between marks on the axis. */
const WHOLE_STEPS = [1, 10, 100, 1000, 10_000].flatMap((unit) => [unit, 2 * unit, 5 * unit])
function dataOf(points: readonly LossPoint[], maxSteps: number): uPlot.AlignedData {
  const all = points.map(({ loss }) => loss)
  return [points.map(({ step }) => step), all, smoothLosses(all, maxSteps)]
}

function options(maxSteps: number, colors: PlotColors): Omit<uPlot.Options, 'width' | 'height'> {
  const t = strings.peek().finetune
  const { line, faint } = colors
  const [steps, loss] = axes(t.steps, t.lossLabel, colors)
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 14, 0, 0],
    scales: {
      // The whole way, so that the line tells how far there is to go.
      x: { time: false, range: () => [0, maxSteps] },
      y: {
        range: (_, low, high) => {
          const margin = (high - low || 1) * 0.1
          return [Math.max(0, low - margin), high + margin]
        },
      },
    },
    axes: [{ ...steps, incrs: WHOLE_STEPS }, loss],
    series: [
      {},
      { stroke: faint, width: 1.5, points: { show: false } },
      { stroke: line, width: 2.5, points: { show: false } },
    ],
  }
}

/** The losses of a training while it runs. */
export function LossChart({ maxSteps }: { readonly maxSteps: number }) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<LivePlot>()
  const points = losses.value
  const t = strings.value.finetune
  useEffect(() => {
    if (!place.current) return
    const data = dataOf(losses.peek(), maxSteps)
    plot.current = new LivePlot(place.current, HEIGHT, data, (colors) => options(maxSteps, colors))
    return () => plot.current?.destroy()
  }, [maxSteps, t])
  useEffect(() => plot.current?.show(dataOf(points, maxSteps)), [points, maxSteps])
  const [first, last] = [points[0], points[points.length - 1]]
  const label = last ? t.chartOf(formatNumber(first.loss), formatNumber(last.loss)) : t.loss
  return (
    <figure class="chart" aria-label={label}>
      <h3>{t.loss}</h3>
      <div ref={place} aria-hidden="true" />
    </figure>
  )
}
