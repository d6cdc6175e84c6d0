// Gradient of the weight of a linear layer y = x w^T, added to what is there:
//   dw[o, i] += scale * sum_{r < rows} dy[r, o] * x[r, i]
//
// dy     [any, OUT]  f32, of which `rows` rows are read
// x      [any, IN]   f32, likewise
// rows   [1]         u32
// scale  [1]         f32
// dw     [OUT, IN]   f32
//
// A workgroup computes a tile of TILE_OUT x TILE_IN, an invocation 4 x 4 of it. TILE_DEPTH rows at a time go through
// workgroup memory; the next ones are on their way to registers while these are multiplied. An element's sum goes over
// the rows in their order, whatever the size of the tile. quads-vec4.wgsl or quads-scalar.wgsl reads and adds.
//
// Dispatch: tiles of inputs in x, tiles of outputs in y.

@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;

const WORKGROUP_SIZE = THREADS_OUT * THREADS_IN;
const TILE_OUT = 4u * THREADS_OUT;
const TILE_IN = 4u * THREADS_IN;
// Quads of a tile that an invocation loads.
const DY_QUADS = TILE_DEPTH * THREADS_OUT / WORKGROUP_SIZE;
const X_QUADS = TILE_DEPTH * THREADS_IN / WORKGROUP_SIZE;

var<workgroup> dy_tile: array<vec4<f32>, TILE_DEPTH * THREADS_OUT>;
var<workgroup> x_tile: array<vec4<f32>, TILE_DEPTH * THREADS_IN>;

var<private> dy_next: array<vec4<f32>, DY_QUADS>;
var<private> x_next: array<vec4<f32>, X_QUADS>;

fn load_next(first_row: u32, end: u32, first_out: u32, first_in: u32, lane: u32) {
  for (var j = 0u; j < DY_QUADS; j++) {
    let i = lane + j * WORKGROUP_SIZE;
    let row = first_row + i / THREADS_OUT;
    dy_next[j] = vec4<f32>(0.0);
    if (row < end) {
      dy_next[j] = dy_quad(row, first_out + i % THREADS_OUT * 4u);
    }
  }
  for (var j = 0u; j < X_QUADS; j++) {
    let i = lane + j * WORKGROUP_SIZE;
    let row = first_row + i / THREADS_IN;
    x_next[j] = vec4<f32>(0.0);
    if (row < end) {
      x_next[j] = x_quad(row, first_in + i % THREADS_IN * 4u);
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let end = rows[0];
  let first_out = workgroup.y * TILE_OUT;
  let first_in = workgroup.x * TILE_IN;
  let my_out = lane / THREADS_IN;
  let my_in = lane % THREADS_IN;

  var sum0 = vec4<f32>(0.0);
  var sum1 = vec4<f32>(0.0);
  var sum2 = vec4<f32>(0.0);
  var sum3 = vec4<f32>(0.0);
  load_next(0u, end, first_out, first_in, lane);
  for (var first = 0u; first < end; first += TILE_DEPTH) {
    for (var j = 0u; j < DY_QUADS; j++) {
      dy_tile[lane + j * WORKGROUP_SIZE] = dy_next[j];
    }
    for (var j = 0u; j < X_QUADS; j++) {
      x_tile[lane + j * WORKGROUP_SIZE] = x_next[j];
    }
    workgroupBarrier();
    load_next(first + TILE_DEPTH, end, first_out, first_in, lane);
    for (var k = 0u; k < TILE_DEPTH; k++) {
      let left = dy_tile[k * THREADS_OUT + my_out];
      let right = x_tile[k * THREADS_IN + my_in];
      sum0 += left.x * right;
      sum1 += left.y * right;
      sum2 += left.z * right;
      sum3 += left.w * right;
    }
    workgroupBarrier();
  }

  let sums = array<vec4<f32>, 4>(sum0, sum1, sum2, sum3);
  for (var j = 0u; j < 4u; j++) {
    let out = first_out + 4u * my_out + j;
    if (out < OUT) {
      add_quad(out, first_in + 4u * my_in, scale[0] * sums[j]);
    }
  }
}
