import { effect } from '@preact/signals'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatNumber } from '../i18n/format.js'
import { isDark } from '../shell/theme.js'

export interface PlotColors {
  readonly line: string
  readonly faint: string
  readonly grid: string
  readonly text: string
}

function colors(): PlotColors {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  return {
    line: color('--accent'),
    faint: color('--line-strong'),
    grid: color('--line'),
    text: color('--text-faint'),
  }
}

/** The two axes of a plot in the look of the page. */
export function axes(xLabel: string, yLabel: string, { grid, text }: PlotColors): uPlot.Axis[] {
  const axis = {
    stroke: text,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    labelSize: 18,
    labelGap: 0,
  }
  const values = (_: uPlot, numbers: (number | null)[]) =>
    numbers.map((value) => (value === null ? '' : formatNumber(value)))
  return [
    { ...axis, label: xLabel, values, grid: { show: false }, size: 28 },
    { ...axis, label: yLabel, values, size: 52 },
  ]
}

/** A plot that is as wide as its place, and is drawn again in the colours of another appearance. */
export class LivePlot {
  #plot: uPlot | undefined
  #data: uPlot.AlignedData
  readonly #observer: ResizeObserver
  readonly #stop: () => void

  constructor(
    place: HTMLElement,
    height: number,
    data: uPlot.AlignedData,
    options: (colors: PlotColors) => Omit<uPlot.Options, 'width' | 'height'>,
  ) {
    this.#data = data
    // Canvas has no style sheet: another appearance is another drawing.
    this.#stop = effect(() => {
      isDark.value
      this.#plot?.destroy()
      this.#plot = new uPlot({ ...options(colors()), width: place.clientWidth, height }, this.#data, place)
    })
    this.#observer = new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height }))
    this.#observer.observe(place)
  }

  show(data: uPlot.AlignedData): void {
    this.#data = data
    this.#plot?.setData(data)
  }

  destroy(): void {
    this.#observer.disconnect()
    this.#stop()
    this.#plot?.destroy()
  }
}
