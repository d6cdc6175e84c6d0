import { duration, percent } from '../common/table.js'
import type { LabelTime } from '../model/profile.js'
import { type BarGroup, barChart } from './bars.js'
import type { Chart } from './render.js'
import { COLORS } from './style.js'

/** A label's share below which it is put together with others. */
const LEAST_SHARE = 0.01

function titleOf({ phase, context, rows }: LabelTime): string {
  return phase === 'decode' ? `one token at context ${context}` : `${rows} rows of a prompt, up to ${context}`
}

/** Where the time of a token, or of a chunk of a prompt, goes. */
export function profileChart(times: readonly LabelTime[], subtitle: string): Chart {
  const runs = [...new Set(times.map(titleOf))]
  const groups = runs.map((run, index): BarGroup => {
    const labels = times.filter((time) => titleOf(time) === run)
    const total = labels.reduce((sum, { seconds }) => sum + seconds, 0)
    const shown: Pick<LabelTime, 'label' | 'seconds'>[] = labels.filter(
      ({ seconds }) => seconds / total >= LEAST_SHARE,
    )
    const rest = total - shown.reduce((sum, { seconds }) => sum + seconds, 0)
    if (rest > 0) shown.push({ label: 'others', seconds: rest })
    return {
      heading: `${run}: ${duration(total)}`,
      color: COLORS[index % COLORS.length],
      bars: shown.map(({ label, seconds }) => ({
        name: label,
        value: seconds * 1e3,
        note: percent(seconds / total),
      })),
    }
  })
  return {
    name: 'profile',
    spec: barChart('Where the time goes', subtitle, groups, { title: 'ms', format: '~g' }),
  }
}
