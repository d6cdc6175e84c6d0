import type { Gpu } from '../../gpu/index.js'

/** Invocations of the subgroups that kernels on matrices of 16 x 16 are written for. */
export const MATRIX_SUBGROUP = 32
/** Rows, columns and depth of their matrices. */
export const MATRIX_SIZE = 16

/** Whether a device multiplies matrices of 16 x 16 in f16 with f32 sums, in subgroups of 32. */
export function hasSubgroupMatrices(gpu: Gpu): boolean {
  const { subgroupMinSize, subgroupMaxSize } = gpu.info
  const subgroups =
    gpu.subgroups && subgroupMinSize === MATRIX_SUBGROUP && subgroupMaxSize === MATRIX_SUBGROUP
  const matrices = gpu.subgroupMatrices.some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' &&
      resultComponentType === 'f32' &&
      [M, N, K].every((size) => size === MATRIX_SIZE),
  )
  return gpu.f16 && subgroups && matrices
}

/** Language extensions that kernels on subgroup matrices enable. */
export const MATRIX_EXTENSIONS = ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'] as const
