/** Units that compute: multiply-adds of one type, dot products of four bytes, or subgroup matrices. */
export type ComputeUnit = 'f32' | 'f16' | 'int8' | 'matrix'

/** Their names for people. */
export const UNIT_NAMES: Readonly<Record<ComputeUnit, string>> = {
  f32: 'f32 multiply-adds',
  f16: 'f16 multiply-adds',
  int8: 'int8 dot products',
  matrix: 'subgroup matrices',
}
