/** What repetitions of one measurement gave. */
export interface Summary {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly repetitions: number
}

/** Median and range. @throws RangeError without values */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('no repetition was measured')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, low: sorted[0], high: sorted[sorted.length - 1], repetitions: sorted.length }
}

/** The summary of `amount / value`, for example of tokens a second from seconds. */
export function rate(amount: number, seconds: Summary): Summary {
  const { median, low, high, repetitions } = seconds
  return { median: amount / median, low: amount / high, high: amount / low, repetitions }
}

/** Half the range relative to the median. */
export function spread({ median, low, high }: Summary): number {
  return median > 0 ? (high - low) / 2 / median : 0
}
