// Products of subgroup matrices in registers, f16 * f16 + f32 -> f32, in CHAINS independent chains a subgroup.
//
// operands  [SIDE * SIDE * 2]  f16, small numbers: a left matrix, then a right one
// result    [subgroups, CHAINS, SIDE * SIDE]  f32
//
// Dispatch: any number of workgroups in x, of one subgroup each. Operations: subgroups * STEPS * CHAINS * 2 SIDE^3.

@group(0) @binding(0) var<storage, read> operands: array<f16>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>) {
  let left = subgroupMatrixLoad<subgroup_matrix_left<f16, SIDE, SIDE>>(&operands, 0u, false, SIDE);
  let right = subgroupMatrixLoad<subgroup_matrix_right<f16, SIDE, SIDE>>(&operands, SIDE * SIDE, false, SIDE);
  var sum0 = subgroup_matrix_result<f32, SIDE, SIDE>();
  var sum1 = subgroup_matrix_result<f32, SIDE, SIDE>();
  var sum2 = subgroup_matrix_result<f32, SIDE, SIDE>();
  var sum3 = subgroup_matrix_result<f32, SIDE, SIDE>();
  for (var step = 0u; step < STEPS; step++) {
    sum0 = subgroupMatrixMultiplyAccumulate(left, right, sum0);
    sum1 = subgroupMatrixMultiplyAccumulate(left, right, sum1);
    sum2 = subgroupMatrixMultiplyAccumulate(left, right, sum2);
    sum3 = subgroupMatrixMultiplyAccumulate(left, right, sum3);
  }
  let at = workgroup.x * CHAINS * SIDE * SIDE;
  subgroupMatrixStore(&result, at, sum0, false, SIDE);
  subgroupMatrixStore(&result, at + SIDE * SIDE, sum1, false, SIDE);
  subgroupMatrixStore(&result, at + 2u * SIDE * SIDE, sum2, false, SIDE);
  subgroupMatrixStore(&result, at + 3u * SIDE * SIDE, sum3, false, SIDE);
}
