// From many numbers of a row to a few: y[r, j] = SCALE * sum_i x[r, i] * w[j, i]
//
// x  [rows, IN]    f32
// w  [RANK, IN]    f32
// y  [rows, RANK]  f32
//
// A workgroup computes four rows, and four numbers of each at a time: what it loads of w is multiplied with all four. Rows behind
// the end are computed from whatever is there; the buffers have room for whole fours.
//
// Dispatch: fours of rows in x.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const FOURS = IN / 4u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = 4u * workgroup.x;
  for (var first = 0u; first < RANK; first += 4u) {
    // Written out: some drivers do not clear a variable of a loop that is declared without a value.
    var sums = array<vec4<f32>, 4>();
    for (var i = lane; i < FOURS; i += WORKGROUP_SIZE) {
      let x0 = x[row * FOURS + i];
      let x1 = x[(row + 1u) * FOURS + i];
      let x2 = x[(row + 2u) * FOURS + i];
      let x3 = x[(row + 3u) * FOURS + i];
      for (var j = 0u; j < 4u; j++) {
        let weight = w[min(first + j, RANK - 1u) * FOURS + i];
        sums[0][j] += dot(x0, weight);
        sums[1][j] += dot(x1, weight);
        sums[2][j] += dot(x2, weight);
        sums[3][j] += dot(x3, weight);
      }
    }
    for (var r = 0u; r < 4u; r++) {
      let total = reduce_sum(sums[r], lane);
      if (lane < 4u && first + lane < RANK) {
        y[(row + r) * RANK + first + lane] = SCALE * total[lane];
      }
    }
  }
}
