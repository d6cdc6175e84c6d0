import { HALF_TILE } from '../../common/half-tiles.js'

/** How the product of a step is cut up; a workgroup computes 16 outputs. */
export interface StepTiling {
  /** Matrices of 16 rows that a subgroup computes. */
  readonly rowMatrices: 1 | 2
  /** Subgroups that share a slice of the inputs, each with rows of its own. */
  readonly rowSubgroups: 1 | 2
  /** Slices that a workgroup deals the inputs out to. */
  readonly slices: number
}

/** Outputs from which on there are enough workgroups to occupy a large GPU without many slices. */
const MANY_OUTPUTS = 16_384

/** The tiling for a product of so many rows, by measurement on a large card (docs/benchmarks.md). */
export function stepTiling(rows: number, outFeatures: number): StepTiling {
  const many = outFeatures >= MANY_OUTPUTS
  if (rows <= HALF_TILE) return { rowMatrices: 1, rowSubgroups: 1, slices: many ? 4 : 8 }
  if (rows <= 2 * HALF_TILE) return { rowMatrices: 2, rowSubgroups: 1, slices: many ? 2 : 8 }
  return { rowMatrices: 2, rowSubgroups: 2, slices: many ? 2 : 4 }
}

/** Bytes of workgroup memory: the tiles of all slices in f16, or in the end their sums in f32. */
export function stepTileBytes({ rowMatrices, rowSubgroups, slices }: StepTiling): number {
  const rows = HALF_TILE * rowMatrices * rowSubgroups
  return slices * Math.max(HALF_TILE * (8 + 1) * 16, rows * HALF_TILE * 4)
}
