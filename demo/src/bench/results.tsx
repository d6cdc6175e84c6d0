import { type ComputeUnit, rate, UNIT_NAMES } from '../../../bench/browser/index.js'
import { formatBytes, formatDuration, formatNumber, formatPercent } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { ceilings, kernelReport, modelReport } from './bench-run.js'
import { Chart } from './chart.js'

/** What the GPU can do at most. */
export function CeilingsLine() {
  const now = ceilings.value
  if (!now) return null
  const t = strings.value.bench
  const units = Object.entries(now.compute).map(
    ([unit, { median }]) =>
      [UNIT_NAMES[unit as ComputeUnit], `${formatNumber(median / 1e9)} GFLOP/s`] as const,
  )
  return (
    <section class="view-section">
      <h2>{t.ceilings}</h2>
      <dl class="facts">
        {[[t.read, `${formatNumber(now.read.median / 1e9)} GB/s`] as const, ...units].map(([name, value]) => (
          <div key={name} class="fact">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** Speed of prompts and of decoding. */
export function ModelCharts() {
  const report = modelReport.value
  if (!report) return null
  const t = strings.value.bench
  const prefill = report.prefill.map(({ tokens, seconds }) => ({
    x: tokens,
    y: rate(tokens, seconds).median,
  }))
  const decode = report.decode.map(({ start, seconds }) => ({ x: start, y: 1 / seconds.median }))
  return (
    <section class="view-section">
      <h2>{t.model}</h2>
      <p class="view-note">
        {report.model.weights} · {formatBytes(report.memory.total)}
        {report.firstToken.map(
          ({ tokens, seconds }) => ` · ${t.firstTokenOf(tokens)} ${formatDuration(seconds.median)}`,
        )}
      </p>
      <div class="chart-pair">
        <Chart title={t.prefill} xLabel={t.promptTokens} yLabel={t.tokensPerSecond} points={prefill} />
        {decode.length > 0 && (
          <Chart title={t.decode} xLabel={t.context} yLabel={t.tokensPerSecond} points={decode} />
        )}
      </div>
    </section>
  )
}

export function KernelTable() {
  const report = kernelReport.value
  if (!report) return null
  const t = strings.value.bench
  return (
    <section class="view-section">
      <h2>{t.kernels}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="table-scroll" tabIndex={0} aria-label={t.kernels}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.kernel}</th>
              <th scope="col">{t.time}</th>
              <th scope="col">{t.bandwidth}</th>
              <th scope="col">{t.operations}</th>
              <th scope="col">{t.ofCeiling}</th>
              <th scope="col">{t.error}</th>
            </tr>
          </thead>
          <tbody>
            {report.kernels.map(({ kernel, variant, shape, seconds, bytes, operations, fraction, error }) => (
              <tr key={`${kernel} ${variant} ${shape}`}>
                <th scope="row">
                  {kernel} <span>{[variant, shape].filter(Boolean).join(', ')}</span>
                </th>
                <td>{formatDuration(seconds.median)}</td>
                <td>{formatNumber(bytes / seconds.median / 1e9)}</td>
                <td>{formatNumber(operations / seconds.median / 1e9)}</td>
                <td>
                  <span class="share" style={{ '--filled': formatPercent(Math.min(1, fraction)) }} />
                  {formatPercent(fraction)}
                </td>
                <td>{error === 0 ? '0' : error.toExponential(1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {report.failures.map(({ case: name, problem }) => (
        <p key={name} class="view-note warning-note">
          {t.failed(name, problem)}
        </p>
      ))}
    </section>
  )
}
