import type { KernelReport } from '../kernels/report.js'
import type { ModelReport } from '../model/report.js'
import type { PeerReport } from '../peers/report.js'
import { fractionChart } from './fractions.js'
import { profileChart } from './profile.js'
import { type Chart, renderChart } from './render.js'
import { rooflineChart } from './roofline.js'
import { throughputCharts } from './throughput.js'

/** What benchmarks write. */
export type Report = KernelReport | ModelReport | PeerReport

/** Adapter, date and commit of reports, as far as they share them. */
function subtitleOf(reports: readonly Report[]): string {
  const shared = (values: readonly (string | null | undefined)[]) => {
    const [first, ...others] = new Set(values)
    return others.length === 0 ? first : undefined
  }
  const environments = reports.map(({ environment }) => environment)
  const commit = shared(environments.map(({ commit }) => commit))
  return [
    shared(environments.map(({ adapter }) => adapter)),
    shared(environments.map(({ date }) => date.slice(0, 10))),
    commit && `commit ${commit}`,
  ]
    .filter(Boolean)
    .join('  ·  ')
}

/** Names that tell model reports apart: what they do not share. */
function namesOf(reports: readonly ModelReport[]): string[] {
  const traits = reports.map(({ model, environment }) => [
    model.name,
    `weights ${model.weights}`,
    `activations ${model.activations}`,
    environment.adapter,
    `commit ${environment.commit}`,
    environment.date,
  ])
  const differing = traits[0].map((_, index) => new Set(traits.map((trait) => trait[index])).size > 1)
  return traits.map((trait) => trait.filter((_, index) => differing[index])[0] ?? trait[0])
}

function chartsOf(reports: readonly Report[]): Chart[] {
  const charts: Chart[] = []
  const models = reports.filter((report) => report.kind === 'model')
  if (models.length > 0) {
    const names = namesOf(models)
    const series = models.map(({ prefill, decode }, index) => ({ name: names[index], prefill, decode }))
    const [first] = models
    const shared = models.length === 1 ? `${first.model.name}, ${first.model.weights}  ·  ` : ''
    charts.push(...throughputCharts(series, shared + subtitleOf(models)))
    const profiled = models.find(({ profile }) => profile.length > 0)
    if (profiled) charts.push(profileChart(profiled.profile, subtitleOf([profiled])))
  }
  for (const peers of reports.filter((report) => report.kind === 'peers')) {
    const both = throughputCharts(peers.systems, `4-bit weights  ·  ${subtitleOf([peers])}`)
    charts.push(...both.map((chart) => ({ ...chart, name: `peers-${chart.name}` })))
  }
  const kernels = reports.find((report) => report.kind === 'kernels')
  if (kernels) {
    const subtitle = subtitleOf([kernels])
    const both = [rooflineChart(kernels, subtitle), fractionChart(kernels, subtitle)]
    charts.push(...both.filter((chart) => chart !== undefined))
  }
  return charts
}

/**
 * Draws the charts of reports into a folder; several models come into the same chart.
 * @returns the files
 */
export async function drawReports(reports: readonly Report[], folder: string): Promise<string[]> {
  return Promise.all(chartsOf(reports).map((chart) => renderChart(chart, folder)))
}
