// Sums of the columns of blocks of rows, the first step of the gradient of RMSNorm's weight:
//   parts[b, i] = sum_r dy[r, i] * x[r, i] * s_r over the rows r < rows of block b,
//   s_r = 1 / sqrt(mean_i(x[r, i]^2) + EPSILON)
// common/sum-parts.wgsl adds the parts up.
//
// x      [any, WIDTH]     f32, the norm's input, of which `rows` rows are read
// dy     [any, WIDTH]     f32, likewise
// rows   [1]              u32
// parts  [blocks, WIDTH]  f32, written for blocks that have rows
//
// Dispatch: one workgroup for each block of BLOCK_ROWS rows, in x.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read_write> parts: array<f32>;

var<workgroup> scales: array<f32, BLOCK_ROWS>;

fn squares(row: u32, end: u32, lane: u32) -> f32 {
  var sum = 0.0;
  if (row < end) {
    for (var i = lane; i < WIDTH; i += WORKGROUP_SIZE) {
      let value = x[row * WIDTH + i];
      sum += value * value;
    }
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = workgroup.x * BLOCK_ROWS;
  let end = min(first + BLOCK_ROWS, rows[0]);
  if (first >= end) {
    return;
  }

  // Four rows are reduced at once.
  for (var row = first; row < end; row += 4u) {
    let sums = vec4<f32>(
      squares(row, end, lane),
      squares(row + 1u, end, lane),
      squares(row + 2u, end, lane),
      squares(row + 3u, end, lane),
    );
    let means = reduce_sum(sums, lane) / f32(WIDTH);
    if (lane < 4u) {
      scales[row - first + lane] = inverseSqrt(means[lane] + EPSILON);
    }
  }
  workgroupBarrier();

  for (var i = lane; i < WIDTH; i += WORKGROUP_SIZE) {
    var sum = 0.0;
    for (var row = first; row < end; row++) {
      let at = row * WIDTH + i;
      sum += dy[at] * (x[at] * scales[row - first]);
    }
    parts[workgroup.x * WIDTH + i] = sum;
  }
}
