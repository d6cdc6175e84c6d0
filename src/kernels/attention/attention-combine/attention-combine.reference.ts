import { quantizedActivationsReference } from '../../common/activation-block.reference.js'

/** One split's part of one head. */
export interface AttentionPart {
  /** [headDim] */
  readonly part: ArrayLike<number>
  readonly highest: number
  readonly total: number
}

/**
 * The parts of all heads put together in float64, and rounded to 8 bits:
 * y = sum_s exp(highest_s - highest) part_s / sum_s exp(highest_s - highest) total_s.
 * @param heads the splits of each head
 */
export function attentionCombineReference(heads: readonly (readonly AttentionPart[])[]): Float64Array {
  const y = heads.flatMap((splits) => {
    const highest = Math.max(...splits.map((split) => split.highest))
    const scales = splits.map((split) => Math.exp(split.highest - highest))
    const total = splits.reduce((sum, split, s) => sum + scales[s] * split.total, 0)
    return Array.from(splits[0].part, (_, d) =>
      splits.reduce((sum, { part }, s) => sum + (scales[s] * part[d]) / total, 0),
    )
  })
  return quantizedActivationsReference(y)
}
