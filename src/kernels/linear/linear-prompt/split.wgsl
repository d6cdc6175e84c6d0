// The inputs may be split among several workgroups, whose sums add-parts.wgsl adds. A part of linear-prompt.wgsl.
//
// parts  [rows, splits, COLUMNS]  f32

@group(0) @binding(8) var<storage, read_write> parts: array<f32>;

const COLUMNS = (OUT + TILE_OUTPUTS - 1u) / TILE_OUTPUTS * TILE_OUTPUTS;

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn keep_four(sum0: Result, sum1: Result, sum2: Result, sum3: Result, at: u32, stride: u32) {
  subgroupMatrixStore<row_major>(&parts, at, sum0, stride);
  subgroupMatrixStore<row_major>(&parts, at + 16u, sum1, stride);
  subgroupMatrixStore<row_major>(&parts, at + 32u, sum2, stride);
  subgroupMatrixStore<row_major>(&parts, at + 48u, sum3, stride);
}

// Row and column are those of the subgroup's first matrix.
fn keep_parts(sums: ptr<function, Sums>, row: u32, column: u32, part: u32, parts_of_row: u32) {
  let stride = parts_of_row * COLUMNS;
  let at = row * stride + part * COLUMNS + column;
  keep_four((*sums).m00, (*sums).m01, (*sums).m02, (*sums).m03, at, stride);
  keep_four((*sums).m10, (*sums).m11, (*sums).m12, (*sums).m13, at + 32u * stride, stride);
  keep_four((*sums).m20, (*sums).m21, (*sums).m22, (*sums).m23, at + 64u * stride, stride);
  keep_four((*sums).m30, (*sums).m31, (*sums).m32, (*sums).m33, at + 96u * stride, stride);
}
