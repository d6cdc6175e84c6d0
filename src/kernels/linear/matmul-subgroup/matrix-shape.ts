import type { Gpu } from '../../../gpu/index.js'

/** A product of subgroup matrices, f16 [M, K] * f16 [K, N] = f32 [M, N], and the subgroups that compute it. */
export interface MatrixShape {
  readonly M: number
  readonly N: number
  readonly K: number
  readonly subgroupSize: number
}

/**
 * The largest product of f16 matrices with an f32 sum that this GPU's subgroups compute, if any.
 *
 * Subgroups of a size that may vary from pipeline to pipeline are left out: the kernels deal out their work by a
 * subgroup's number, and must know how many there are.
 */
export function halfMatrixShape(gpu: Gpu): MatrixShape | undefined {
  const { subgroupMinSize, subgroupMaxSize } = gpu.info
  if (!gpu.f16 || subgroupMinSize !== subgroupMaxSize) return undefined
  const shapes = gpu.subgroupMatrices
    .filter(({ componentType, resultComponentType, M, N, K }) => {
      const fits = [M, N].every((size) => size === 8 || size === 16) && K === 16
      return componentType === 'f16' && resultComponentType === 'f32' && fits
    })
    .sort((a, b) => b.M * b.N - a.M * a.N)
  return shapes[0] && { M: shapes[0].M, N: shapes[0].N, K: shapes[0].K, subgroupSize: subgroupMaxSize }
}
