// Sums of the columns of blocks of rows, the first step of the gradient of a bias:
//   parts[b, i] = sum_r dy[r, i] over the rows r < rows of block b
// common/sum-parts.wgsl adds the parts up.
//
// dy     [any, WIDTH]     f32, of which `rows` rows are read
// rows   [1]              u32
// parts  [blocks, WIDTH]  f32, written for blocks that have rows
//
// Dispatch: one invocation a column, in x; blocks of BLOCK_ROWS rows in y.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let first = id.y * BLOCK_ROWS;
  let end = min(first + BLOCK_ROWS, rows[0]);
  if (id.x >= WIDTH || first >= end) {
    return;
  }
  var sum = 0.0;
  for (var row = first; row < end; row++) {
    sum += dy[row * WIDTH + id.x];
  }
  parts[id.y * WIDTH + id.x] = sum;
}
