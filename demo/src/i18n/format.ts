import { locale, strings } from './index.js'

const tag = () => (locale.value === 'zh' ? 'zh-CN' : 'en')

/** `3.9 GB` */
export function formatBytes(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  return new Intl.NumberFormat(tag(), {
    style: 'unit',
    unit: units[step],
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && step > 1 ? 1 : 0,
  }).format(value)
}

/** `1.2 sec`, `43 ms`, `12 min` */
export function formatDuration(seconds: number): string {
  const [value, unit] =
    seconds < 0.001
      ? [seconds * 1e6, 'microsecond']
      : seconds < 1
        ? [seconds * 1000, 'millisecond']
        : seconds < 90
          ? [seconds, 'second']
          : seconds < 5400
            ? [seconds / 60, 'minute']
            : [seconds / 3600, 'hour']
  return new Intl.NumberFormat(tag(), {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value)
}

/** Three digits or more: `35.2`, `11,800` */
export function formatNumber(value: number): string {
  return new Intl.NumberFormat(tag(), { maximumSignificantDigits: value < 1000 ? 3 : 4 }).format(value)
}

export function formatPercent(share: number): string {
  return new Intl.NumberFormat(tag(), { style: 'percent', maximumFractionDigits: 0 }).format(share)
}

/** Today, this week, or earlier. */
export function ageOf(time: number): string {
  const days = (Date.now() - time) / 86_400_000
  const t = strings.value.conversations
  if (new Date(time).toDateString() === new Date().toDateString()) return t.today
  return days < 7 ? t.week : t.older
}
