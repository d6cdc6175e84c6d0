// The inputs may be split among several workgroups, whose sums add-parts.wgsl adds. A part of linear-halves.wgsl.
//
// parts  [rows, splits, COLUMNS]  f32

@group(0) @binding(8) var<storage, read_write> parts: array<f32>;

const COLUMNS = (OUT + TILE_OUTPUTS - 1u) / TILE_OUTPUTS * TILE_OUTPUTS;

// Keeps the sums of 16 rows and 32 columns.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn keep_pair(sum0: Result, sum1: Result, row: u32, column: u32, part: u32, parts_of_row: u32) {
  let stride = parts_of_row * COLUMNS;
  let at = row * stride + part * COLUMNS + column;
  subgroupMatrixStore<row_major>(&parts, at, sum0, stride);
  subgroupMatrixStore<row_major>(&parts, at + 16u, sum1, stride);
}
