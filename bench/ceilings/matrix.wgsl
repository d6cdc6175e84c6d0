// Products of subgroup matrices in registers, f16 * f16 + f32 -> f32, in CHAINS = 4 independent chains a subgroup.
//
// operands  [SIDE * SIDE / 4]                 f16 in eights, small numbers: a left matrix, then a right one
// result    [subgroups, CHAINS, SIDE * SIDE]  f32
//
// Dispatch: any number of workgroups in x, of one subgroup each. Operations: subgroups * STEPS * CHAINS * 2 SIDE^3.

@group(0) @binding(0) var<storage, read> operands: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

alias Left = subgroup_matrix_left<f16, SIDE, SIDE>;
alias Right = subgroup_matrix_right<f16, SIDE, SIDE>;
alias Result = subgroup_matrix_result<f32, SIDE, SIDE>;

// Words of a matrix, and of a line of it.
const MATRIX = SIDE * SIDE / 8u;
const LINE = SIDE / 8u;

var<workgroup> tiles: array<vec4<u32>, 2u * MATRIX>;

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  for (var i = lane; i < 2u * MATRIX; i += WORKGROUP_SIZE) {
    tiles[i] = operands[i];
  }
  workgroupBarrier();
  let left = subgroupMatrixLoad<Left, row_major>(&tiles, 0u, LINE);
  let right = subgroupMatrixLoad<Right, col_major>(&tiles, MATRIX, LINE);
  var sum0 = Result();
  var sum1 = Result();
  var sum2 = Result();
  var sum3 = Result();
  for (var step = 0u; step < STEPS; step++) {
    sum0 = subgroupMatrixMultiplyAccumulate(left, right, sum0);
    sum1 = subgroupMatrixMultiplyAccumulate(left, right, sum1);
    sum2 = subgroupMatrixMultiplyAccumulate(left, right, sum2);
    sum3 = subgroupMatrixMultiplyAccumulate(left, right, sum3);
  }
  let at = workgroup.x * CHAINS * SIDE * SIDE;
  subgroupMatrixStore<row_major>(&result, at, sum0, SIDE);
  subgroupMatrixStore<row_major>(&result, at + SIDE * SIDE, sum1, SIDE);
  subgroupMatrixStore<row_major>(&result, at + 2u * SIDE * SIDE, sum2, SIDE);
  subgroupMatrixStore<row_major>(&result, at + 3u * SIDE * SIDE, sum3, SIDE);
}
