// Matrix product of f32 matrices that may lie transposed: y[m, n] = sum_k a(m, k) * b(n, k) (+ bias[n])
//   a(m, k) = a[m * A_ROW + k * A_DEPTH],   b(n, k) = b[n * B_ROW + k * B_DEPTH]
//
// a     [ROWS * DEPTH]  f32
// b     [OUT * DEPTH]   f32
// bias  [OUT]           f32, read where HAS_BIAS
// y     [ROWS, OUT]     f32
//
// A workgroup computes a tile of TILE_ROWS x TILE_OUTPUTS, an invocation 4 x 4 of it. Neighbouring invocations load what
// lies side by side in memory, whichever way a matrix lies.
//
// Dispatch: tiles of outputs in x, tiles of rows in y.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

const TILE_ROWS = 4u * THREAD_ROWS;
const TILE_OUTPUTS = 4u * THREAD_OUTPUTS;
const WORKGROUP_SIZE = THREAD_ROWS * THREAD_OUTPUTS;

var<workgroup> tile_a: array<f32, TILE_DEPTH * TILE_ROWS>;
var<workgroup> tile_b: array<f32, TILE_DEPTH * TILE_OUTPUTS>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_row = workgroup.y * TILE_ROWS;
  let first_output = workgroup.x * TILE_OUTPUTS;
  let my_row = lane / THREAD_OUTPUTS * 4u;
  let my_output = lane % THREAD_OUTPUTS * 4u;

  var sums: array<vec4<f32>, 4>;
  for (var first = 0u; first < DEPTH; first += TILE_DEPTH) {
    for (var i = lane; i < TILE_ROWS * TILE_DEPTH; i += WORKGROUP_SIZE) {
      let m = select(i / TILE_DEPTH, i % TILE_ROWS, A_ROW == 1u);
      let k = select(i % TILE_DEPTH, i / TILE_ROWS, A_ROW == 1u);
      var value = 0.0;
      if (first_row + m < ROWS && first + k < DEPTH) {
        value = a[(first_row + m) * A_ROW + (first + k) * A_DEPTH];
      }
      tile_a[k * TILE_ROWS + m] = value;
    }
    for (var i = lane; i < TILE_OUTPUTS * TILE_DEPTH; i += WORKGROUP_SIZE) {
      let n = select(i / TILE_DEPTH, i % TILE_OUTPUTS, B_ROW == 1u);
      let k = select(i % TILE_DEPTH, i / TILE_OUTPUTS, B_ROW == 1u);
      var value = 0.0;
      if (first_output + n < OUT && first + k < DEPTH) {
        value = b[(first_output + n) * B_ROW + (first + k) * B_DEPTH];
      }
      tile_b[k * TILE_OUTPUTS + n] = value;
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE_DEPTH; k++) {
      let at = k * TILE_OUTPUTS + my_output;
      let right = vec4<f32>(tile_b[at], tile_b[at + 1u], tile_b[at + 2u], tile_b[at + 3u]);
      for (var j = 0u; j < 4u; j++) {
        sums[j] += tile_a[k * TILE_ROWS + my_row + j] * right;
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < 4u; j++) {
    let row = first_row + my_row + j;
    for (var k = 0u; k < 4u; k++) {
      let output = first_output + my_output + k;
      if (row < ROWS && output < OUT) {
        var value = sums[j][k];
        if (HAS_BIAS) {
          value += bias[output];
        }
        y[row * OUT + output] = value;
      }
    }
  }
}
