// Sum of the parts that blocks of BLOCK_ROWS rows gave, added to what is there:
//   total[i] += scale * sum_{p < ceil(rows / BLOCK_ROWS)} parts[p, i]
//
// parts  [any, WIDTH]  f32; parts of blocks without rows are not read
// rows   [1]           u32
// scale  [1]           f32
// total  [WIDTH]       f32
//
// A workgroup has COLUMNS columns. Its LANES lanes of a column take every LANES-th part each, and a tree adds theirs, so
// that the order of additions is always the same.
//
// Dispatch: COLUMNS columns a workgroup, in x.

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> total: array<f32>;

var<workgroup> sums: array<f32, COLUMNS * LANES>;

@compute @workgroup_size(COLUMNS * LANES)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let column = workgroup.x * COLUMNS + lane % COLUMNS;
  let count = (rows[0] + BLOCK_ROWS - 1u) / BLOCK_ROWS;
  var sum = 0.0;
  if (column < WIDTH) {
    for (var part = lane / COLUMNS; part < count; part += LANES) {
      sum += parts[part * WIDTH + column];
    }
  }
  sums[lane] = sum;
  workgroupBarrier();
  for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
    if (lane < stride * COLUMNS) {
      sums[lane] += sums[lane + stride * COLUMNS];
    }
    workgroupBarrier();
  }
  if (lane < COLUMNS && column < WIDTH) {
    total[column] += scale[0] * sums[lane];
  }
}
