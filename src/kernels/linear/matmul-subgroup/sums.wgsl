// What a subgroup computes of a tile in the products on subgroup matrices: 4 x 2 matrices of M x N, with depth K. The
// matrices have names, because drivers keep an array of them in memory.

const TILE_ROWS = ROW_SUBGROUPS * 4u * M;
const DEPTH_OCTETS = TILE_DEPTH / 8u;

alias Left = subgroup_matrix_left<f16, K, M>;
alias Right = subgroup_matrix_right<f16, N, K>;
alias Result = subgroup_matrix_result<f32, N, M>;

struct Sums {
  m00: Result, m01: Result, m10: Result, m11: Result,
  m20: Result, m21: Result, m30: Result, m31: Result,
}

fn multiply(
  sums: ptr<function, Sums>,
  right0: Right, right1: Right,
  left0: Left, left1: Left, left2: Left, left3: Left,
) {
  (*sums).m00 = subgroupMatrixMultiplyAccumulate(left0, right0, (*sums).m00);
  (*sums).m01 = subgroupMatrixMultiplyAccumulate(left0, right1, (*sums).m01);
  (*sums).m10 = subgroupMatrixMultiplyAccumulate(left1, right0, (*sums).m10);
  (*sums).m11 = subgroupMatrixMultiplyAccumulate(left1, right1, (*sums).m11);
  (*sums).m20 = subgroupMatrixMultiplyAccumulate(left2, right0, (*sums).m20);
  (*sums).m21 = subgroupMatrixMultiplyAccumulate(left2, right1, (*sums).m21);
  (*sums).m30 = subgroupMatrixMultiplyAccumulate(left3, right0, (*sums).m30);
  (*sums).m31 = subgroupMatrixMultiplyAccumulate(left3, right1, (*sums).m31);
}
