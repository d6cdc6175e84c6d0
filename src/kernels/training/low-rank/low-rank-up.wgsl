// From a few numbers of a row to many: y[r, n] += m(r, n) * sum_j x[r, j] * w[j, n]
//
// x           [rows, RANK]  f32
// w           [RANK, OUT]   f32
// y           [rows, OUT]   f32
// parameters  [1]           of common/dropout.wgsl; bound only where MASKED, else m is 1
//
// Rows behind the end are computed from whatever is there; the buffers have room for whole fours.
//
// Dispatch: fours of outputs in x, fours of rows in y.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

const FOURS = OUT / 4u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= FOURS) {
    return;
  }
  let row = 4u * id.y;
  var sums: array<vec4<f32>, 4>;
  for (var j = 0u; j < RANK; j++) {
    let weight = w[j * FOURS + id.x];
    for (var r = 0u; r < 4u; r++) {
      sums[r] += x[(row + r) * RANK + j] * weight;
    }
  }
  for (var r = 0u; r < 4u; r++) {
    let at = (row + r) * FOURS + id.x;
    y[at] += kept_four(at) * sums[r];
  }
}
