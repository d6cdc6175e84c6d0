import type { MatrixShape } from './matrix-shape.js'

/** How a matrix product is cut up: each subgroup of a workgroup has 4 x 2 matrices of a tile. */
export interface MatmulTiling {
  readonly rowSubgroups: number
  readonly outputSubgroups: number
  /** Inputs of a step: 1, 2 or 4 times the matrices' K, and a multiple of 16. */
  readonly depth: number
}

/** Rows and outputs of a tile. */
export function tileSize({ M, N }: MatrixShape, { rowSubgroups, outputSubgroups }: MatmulTiling) {
  return { tileRows: rowSubgroups * 4 * M, tileOutputs: outputSubgroups * 2 * N }
}

/** Bytes of workgroup memory: both tiles in f16, their lines padded by 16 bytes. */
function tileBytes(shape: MatrixShape, tiling: MatmulTiling): number {
  const { tileRows, tileOutputs } = tileSize(shape, tiling)
  return (tileRows + tileOutputs) * (2 * tiling.depth + 16)
}

/**
 * The tiling for a product of `rows` rows, with tiles of 128 x 128 on matrices of 16 x 16 x 16. Deep steps beat a second
 * stage in workgroup memory, and large tiles beat many: both were measured.
 * @param workgroupBytes the workgroup memory there is
 */
export function matmulTiling(shape: MatrixShape, rows: number, workgroupBytes: number): MatmulTiling {
  const rowSubgroups = rows <= 4 * shape.M ? 1 : 2
  const deep = { rowSubgroups, outputSubgroups: 4, depth: 4 * shape.K }
  return tileBytes(shape, deep) <= workgroupBytes ? deep : { ...deep, depth: 2 * shape.K }
}

/** Whether the tiling for many rows fits into so much workgroup memory. */
export function fitsTiling(shape: MatrixShape, workgroupBytes: number): boolean {
  return tileBytes(shape, matmulTiling(shape, Number.POSITIVE_INFINITY, workgroupBytes)) <= workgroupBytes
}
