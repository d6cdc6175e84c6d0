// Product with a transposed weight, the backward pass of a matrix product: dx[r, i] (+)= sum_n dy[r, n] * w[n, i]
//
// The weight w [OUT, IN] is in one of the formats of common/weight-*.wgsl (bindings 0 to 2). It may be a slice of a
// larger one: its rows belong to the columns OUT_OFFSET .. OUT_OFFSET + OUT - 1 of dy, which has OUT_STRIDE columns.
//
// dy  [rows, OUT_STRIDE]  f32
// dx  [rows, IN]          f32, added to where ACCUMULATE, else overwritten
//
// A workgroup computes a tile of TILE_ROWS x TILE_INPUTS, an invocation 4 x 4 of it. Steps of TILE_DEPTH rows of the
// weight go through workgroup memory. All of it is f32: gradients are often too small for f16.
//
// The buffers have MAX_ROWS rows; those of a tile behind the rows dispatched are computed from whatever is there.
//
// Dispatch: tiles of inputs in x, tiles of rows in y.

@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4<f32>>;

const TILE_ROWS = 4u * THREAD_ROWS;
const TILE_INPUTS = 4u * THREAD_INPUTS;
const WORKGROUP_SIZE = THREAD_ROWS * THREAD_INPUTS;
const TILE_OCTETS = TILE_INPUTS / 8u;

// Transposed, so that the four rows of an invocation lie side by side.
var<workgroup> tile_dy: array<f32, TILE_DEPTH * TILE_ROWS>;
var<workgroup> tile_w: array<vec4<f32>, TILE_DEPTH * THREAD_INPUTS>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_row = workgroup.y * TILE_ROWS;
  let first_octet = workgroup.x * TILE_OCTETS;
  let my_row = lane / THREAD_INPUTS * 4u;
  let my_quad = lane % THREAD_INPUTS;

  var sums: array<vec4<f32>, 4>;
  for (var first = 0u; first < OUT; first += TILE_DEPTH) {
    for (var i = lane; i < TILE_ROWS * TILE_DEPTH; i += WORKGROUP_SIZE) {
      let row = first_row + i / TILE_DEPTH;
      let depth = i % TILE_DEPTH;
      var value = 0.0;
      if (row < MAX_ROWS && first + depth < OUT) {
        value = dy[row * OUT_STRIDE + OUT_OFFSET + first + depth];
      }
      tile_dy[depth * TILE_ROWS + i / TILE_DEPTH] = value;
    }
    for (var i = lane; i < TILE_DEPTH * TILE_OCTETS; i += WORKGROUP_SIZE) {
      let depth = i / TILE_OCTETS;
      let octet = first_octet + i % TILE_OCTETS;
      var values = array<vec4<f32>, 2>();
      if (first + depth < OUT && octet < IN / 8u) {
        values = weight_octet(first + depth, octet);
      }
      tile_w[2u * i] = values[0];
      tile_w[2u * i + 1u] = values[1];
    }
    workgroupBarrier();
    for (var depth = 0u; depth < TILE_DEPTH; depth++) {
      let w = tile_w[depth * THREAD_INPUTS + my_quad];
      for (var j = 0u; j < 4u; j++) {
        sums[j] += tile_dy[depth * TILE_ROWS + my_row + j] * w;
      }
    }
    workgroupBarrier();
  }

  let quad = first_octet * 2u + my_quad;
  for (var j = 0u; j < 4u; j++) {
    let row = first_row + my_row + j;
    if (row < MAX_ROWS && quad < IN / 4u) {
      let at = row * (IN / 4u) + quad;
      var value = sums[j];
      if (ACCUMULATE) {
        value += dx[at];
      }
      dx[at] = value;
    }
  }
}
