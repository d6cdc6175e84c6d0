// Rows picked from a matrix, or put back into one:
//   gather:  y[r, i] = x[index[r], i]
//   SCATTER: y[index[r], i] = x[r, i]; other rows of y stay as they are, and no index may occur twice
//
// index  [rows]         u32
// x, y   [rows, WIDTH]  f32, the one that is indexed with as many rows as it has
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> index: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let indexed = index[workgroup.x] * WIDTH;
  let plain = workgroup.x * WIDTH;
  let from_row = select(indexed, plain, SCATTER);
  let to_row = select(plain, indexed, SCATTER);
  for (var i = lane; i < WIDTH; i += WORKGROUP_SIZE) {
    y[to_row + i] = x[from_row + i];
  }
}
