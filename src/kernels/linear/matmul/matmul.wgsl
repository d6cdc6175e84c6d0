// Matrix product for many rows (prefill): y[r, n] (+)= sum_i x[r, i] * w[n, i] (+ bias[n])
//
// The weight w [OUT, IN] is in one of the formats of common/weight-*.wgsl (bindings 0 to 2). It may be a slice of a
// larger one: its outputs go to the columns OUT_OFFSET .. OUT_OFFSET + OUT - 1 of y, which has OUT_STRIDE columns.
//
// x  [rows, IN]  f32; bias and y are in output.wgsl
//
// A workgroup computes a tile of TILE_ROWS x TILE_OUTPUTS, an invocation 4 x 4 of it. Steps of TILE_DEPTH inputs go
// through workgroup memory, as Element (f16 where there is shader-f16), and are summed in f32.
//
// The buffers have MAX_ROWS rows; those of a tile behind the rows dispatched are computed from whatever is there.
//
// Dispatch: tiles of outputs in x, tiles of rows in y.

@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;

const TILE_ROWS = 4u * THREAD_ROWS;
const TILE_OUTPUTS = 4u * THREAD_OUTPUTS;
const WORKGROUP_SIZE = THREAD_ROWS * THREAD_OUTPUTS;
const DEPTH_OCTETS = TILE_DEPTH / 8u;

// Transposed, so that the four rows or outputs of an invocation lie side by side.
var<workgroup> tile_x: array<Element, TILE_DEPTH * TILE_ROWS>;
var<workgroup> tile_w: array<Element, TILE_DEPTH * TILE_OUTPUTS>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_row = workgroup.y * TILE_ROWS;
  let first_output = workgroup.x * TILE_OUTPUTS;
  let my_row = lane / THREAD_OUTPUTS * 4u;
  let my_output = lane % THREAD_OUTPUTS * 4u;

  var sums: array<vec4<f32>, 4>;
  for (var step = 0u; step < IN / 8u; step += DEPTH_OCTETS) {
    for (var i = lane; i < TILE_ROWS * DEPTH_OCTETS; i += WORKGROUP_SIZE) {
      let row = i / DEPTH_OCTETS;
      let octet = i % DEPTH_OCTETS;
      var low = vec4<f32>();
      var high = vec4<f32>();
      if (first_row + row < MAX_ROWS && step + octet < IN / 8u) {
        let at = (first_row + row) * (IN / 4u) + (step + octet) * 2u;
        low = x[at];
        high = x[at + 1u];
      }
      let depth = octet * 8u * TILE_ROWS + row;
      for (var j = 0u; j < 4u; j++) {
        tile_x[depth + j * TILE_ROWS] = Element(low[j]);
        tile_x[depth + (j + 4u) * TILE_ROWS] = Element(high[j]);
      }
    }
    for (var i = lane; i < TILE_OUTPUTS * DEPTH_OCTETS; i += WORKGROUP_SIZE) {
      let output = i / DEPTH_OCTETS;
      let octet = i % DEPTH_OCTETS;
      var values = array<vec4<f32>, 2>();
      if (first_output + output < OUT && step + octet < IN / 8u) {
        values = weight_octet(first_output + output, step + octet);
      }
      let depth = octet * 8u * TILE_OUTPUTS + output;
      for (var j = 0u; j < 4u; j++) {
        tile_w[depth + j * TILE_OUTPUTS] = Element(values[0][j]);
        tile_w[depth + (j + 4u) * TILE_OUTPUTS] = Element(values[1][j]);
      }
    }
    workgroupBarrier();
    for (var depth = 0u; depth < TILE_DEPTH; depth++) {
      let xs = depth * TILE_ROWS + my_row;
      let ws = depth * TILE_OUTPUTS + my_output;
      let w = vec4<f32>(f32(tile_w[ws]), f32(tile_w[ws + 1u]), f32(tile_w[ws + 2u]), f32(tile_w[ws + 3u]));
      for (var j = 0u; j < 4u; j++) {
        sums[j] += f32(tile_x[xs + j]) * w;
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < 4u; j++) {
    for (var k = 0u; k < 4u; k++) {
      store(first_row + my_row + j, first_output + my_output + k, sums[j][k]);
    }
  }
}
