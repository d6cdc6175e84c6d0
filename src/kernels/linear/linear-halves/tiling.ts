/** How a product is cut up among workgroups. */
export interface HalvesTiling {
  /** Rows of a workgroup. */
  readonly rows: 16 | 32 | 64 | 128
  /** Workgroups that a large GPU computes at a time: those of few rows share a multiprocessor. */
  readonly atOnce: number
}

/** Outputs of a workgroup. */
export const TILE_OUTPUTS = 128
/** The most workgroups that share the inputs of a tile. */
export const MOST_SPLITS = 8
/** Multiprocessors of an H100 or H200. */
const MULTIPROCESSORS = 132
/** What another split costs, of the time of a whole product. */
const COST_OF_SPLIT = 0.15

/** The tiling for products of up to so many rows, by measurement on a large card (docs/benchmarks.md). */
export function halvesTiling(maxRows: number): HalvesTiling {
  if (maxRows <= 16) return { rows: 16, atOnce: 2 * MULTIPROCESSORS }
  if (maxRows <= 32) return { rows: 32, atOnce: 2 * MULTIPROCESSORS }
  return { rows: maxRows <= 64 ? 64 : 128, atOnce: MULTIPROCESSORS }
}

/**
 * Among how many workgroups the inputs of each tile of a product are split, so that there are enough of them to occupy a
 * large GPU, and few in the last wave.
 * @param tiles of rows and of outputs, together
 * @param mostParts tiles of sums that there is room for
 */
export function splitsOf({ atOnce }: HalvesTiling, tiles: number, mostParts: number): number {
  const candidates = Array.from({ length: MOST_SPLITS }, (_, index) => index + 1)
  const fitting = candidates.filter((splits) => splits === 1 || splits * tiles <= mostParts)
  const cost = (splits: number) =>
    (Math.ceil((tiles * splits) / atOnce) / splits) * (1 + COST_OF_SPLIT * splits)
  return fitting.reduce((best, splits) => (cost(splits) < cost(best) ? splits : best))
}
