import { oneOf, repeated } from './ebnf.js'

/** The most digits before the point: every such whole number is exact in a double. */
const DIGITS = 15

/** Any JSON number that a double holds. */
export const ANY_NUMBER = `"-"? ("0" | [1-9] [0-9]{0,${DIGITS - 1}}) ("." [0-9]{1,${DIGITS}})? ([eE] [+\\-]? [0-9]{1,2})?`
export const ANY_INTEGER = `"-"? ("0" | [1-9] [0-9]{0,${DIGITS - 1}})`

function digitRange(first: string, last: string): string {
  return first === last ? `"${first}"` : `[${first}-${last}]`
}

/** Texts of digits between two of the same length, both included. */
function between(low: string, high: string): string {
  if (low === '') return '""'
  const rest = low.length - 1
  const any = rest > 0 ? ` ${repeated('[0-9]', rest, rest)}` : ''
  if (/^0*$/.test(low.slice(1)) && /^9*$/.test(high.slice(1))) return digitRange(low[0], high[0]) + any
  if (low[0] === high[0]) return `"${low[0]}" ${between(low.slice(1), high.slice(1))}`
  const parts = [`"${low[0]}" ${between(low.slice(1), '9'.repeat(rest))}`]
  const [second, beforeLast] = [Number(low[0]) + 1, Number(high[0]) - 1]
  if (second <= beforeLast) parts.push(digitRange(String(second), String(beforeLast)) + any)
  parts.push(`"${high[0]}" ${between('0'.repeat(rest), high.slice(1))}`)
  return oneOf(parts)
}

/** Numbers from `low` to `high` >= 0, in units of 10^-decimals, written with so many decimals. */
function positive(low: bigint, high: bigint, decimals: number): string[] {
  const alternatives: string[] = []
  for (let digits = 1; digits <= DIGITS; digits++) {
    const unit = 10n ** BigInt(decimals)
    const least = digits === 1 ? 0n : 10n ** BigInt(digits - 1) * unit
    const most = 10n ** BigInt(digits) * unit - 1n
    const from = low > least ? low : least
    const to = high < most ? high : most
    if (from > to) continue
    const text = (value: bigint) => value.toString().padStart(digits + decimals, '0')
    alternatives.push(...withPoint(text(from), text(to), digits))
  }
  return alternatives
}

/** The texts between two, with a point behind so many digits. */
function withPoint(low: string, high: string, digits: number): string[] {
  if (low.length === digits) return [between(low, high)]
  const [lowWhole, highWhole] = [low.slice(0, digits), high.slice(0, digits)]
  const [lowRest, highRest] = [low.slice(digits), high.slice(digits)]
  const point = '\\U0000002e'
  const joined = (whole: string, rest: string) => `${whole} "${point}" ${rest}`
  if (lowWhole === highWhole) return [joined(`"${lowWhole}"`, between(lowRest, highRest))]
  const nines = '9'.repeat(lowRest.length)
  const zeros = '0'.repeat(lowRest.length)
  const parts = [
    joined(`"${lowWhole}"`, between(lowRest, nines)),
    joined(`"${highWhole}"`, between(zeros, highRest)),
  ]
  const first = BigInt(lowWhole) + 1n
  const last = BigInt(highWhole) - 1n
  if (first <= last) {
    const text = (value: bigint) => value.toString().padStart(digits, '0')
    parts.push(joined(between(text(first), text(last)), between(zeros, nines)))
  }
  return parts
}

function range(low: bigint, high: bigint, decimals: number): string[] {
  const alternatives: string[] = []
  if (low < 0n) {
    const from = high < 0n ? -high : 1n
    alternatives.push(...positive(from, -low, decimals).map((one) => `"-" ${oneOf([one])}`))
  }
  if (high >= 0n) alternatives.push(...positive(low > 0n ? low : 0n, high, decimals))
  return alternatives
}

/** Limits of a number; both may be left out. */
export interface NumberLimits {
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly exclusiveMinimum?: number | undefined
  readonly exclusiveMaximum?: number | undefined
}

/** A number as whole units of 10^-decimals: rounded up, or down. */
function units(value: number, decimals: number, up: boolean): bigint {
  // By its decimal digits, because a product of doubles may be off by one.
  const [mantissa, exponent = '0'] = Math.abs(value).toString().split('e')
  const [whole, fraction = ''] = mantissa.split('.')
  const shift = Number(exponent) - fraction.length + decimals
  const digits = BigInt(whole + fraction)
  const scale = 10n ** BigInt(Math.abs(shift))
  const magnitude = shift >= 0 ? digits * scale : digits / scale
  const isExact = shift >= 0 || magnitude * scale === digits
  const negative = value < 0
  const rounded = isExact || up === negative ? magnitude : magnitude + 1n
  return negative ? -rounded : rounded
}

function bounds(limits: NumberLimits, decimals: number): readonly [bigint, bigint] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = limits
  const most = 10n ** BigInt(DIGITS + decimals) - 1n
  const lows = [-most]
  const highs = [most]
  if (minimum !== undefined) lows.push(units(minimum, decimals, true))
  if (exclusiveMinimum !== undefined) lows.push(units(exclusiveMinimum, decimals, false) + 1n)
  if (maximum !== undefined) highs.push(units(maximum, decimals, false))
  if (exclusiveMaximum !== undefined) highs.push(units(exclusiveMaximum, decimals, true) - 1n)
  const largest = (values: bigint[]) => values.reduce((a, b) => (a > b ? a : b))
  const least = (values: bigint[]) => values.reduce((a, b) => (a < b ? a : b))
  return [largest(lows), least(highs)]
}

function decimalsOf(value: number | undefined): number {
  const text = value === undefined ? '' : value.toString()
  if (text.includes('e')) return text.includes('e-') ? 6 : 0
  return (text.split('.')[1] ?? '').length
}

/**
 * The numbers within limits: whole ones, and where they need not be whole those of a few decimals, at least 2, as many as
 * the limits have, at most 6.
 * @returns undefined where there are none
 */
export function numberGrammar(limits: NumberLimits, whole: boolean): string | undefined {
  const given = Object.values(limits).filter((value) => value !== undefined)
  if (given.length === 0) return whole ? ANY_INTEGER : ANY_NUMBER
  const alternatives = range(...bounds(limits, 0), 0)
  if (!whole) {
    const decimals = Math.min(6, Math.max(2, ...given.map(decimalsOf)))
    alternatives.push(...range(...bounds(limits, decimals), decimals))
  }
  return alternatives.length > 0 ? oneOf(alternatives) : undefined
}
