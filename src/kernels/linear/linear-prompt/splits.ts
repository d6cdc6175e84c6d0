/** Rows, and outputs, of a workgroup of linear-prompt.wgsl. */
export const TILE = 128
/** Rows of a workgroup of add-parts.wgsl. */
export const PART_ROWS = 16
/** The most workgroups that share the inputs of a tile. */
const MOST_SPLITS = 8
/** Workgroups that a large GPU computes at a time: the multiprocessors of an H100 or H200. */
const AT_ONCE = 132
/** What another split costs, of the time of a whole product. */
const COST_OF_SPLIT = 0.15

/**
 * Among how many workgroups the inputs of each tile of a product are split, so that there are enough of them to occupy a
 * large GPU, and few in the last wave. By measurement (docs/benchmarks.md).
 * @param tiles of rows and of outputs, together
 * @param mostParts tiles of sums that there is room for
 */
export function splitsOf(tiles: number, mostParts: number): number {
  const candidates = Array.from({ length: MOST_SPLITS }, (_, index) => index + 1)
  const fitting = candidates.filter((splits) => splits === 1 || splits * tiles <= mostParts)
  const cost = (splits: number) =>
    (Math.ceil((tiles * splits) / AT_ONCE) / splits) * (1 + COST_OF_SPLIT * splits)
  return fitting.reduce((best, splits) => (cost(splits) < cost(best) ? splits : best))
}
