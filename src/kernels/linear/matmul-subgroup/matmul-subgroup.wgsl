// Matrix product for many rows on subgroup matrices: y[r, n] (+)= sum_i x[r, i] * w[n, i] (+ bias[n])
//
// The weight w [OUT, IN] is in one of the formats of common/weight-*.wgsl, read by the weight-*.wgsl beside this file
// (bindings 0 to 2). It may be a slice of a larger one: its outputs go to the columns OUT_OFFSET .. OUT_OFFSET + OUT - 1
// of y, which has OUT_STRIDE columns.
//
// x     [rows, IN]          f32
// bias  [OUT_STRIDE]        f16 in pairs, read where HAS_BIAS
// y     [rows, OUT_STRIDE]  f32, added to where ACCUMULATE (the residual), else overwritten
//
// A workgroup computes a tile of TILE_ROWS x TILE_OUTPUTS, a subgroup 4 x 2 matrices of it (sums.wgsl). x and w go through
// workgroup memory as f16, TILE_DEPTH inputs at a time, and are summed in f32. While a step is multiplied, the next one
// is on its way from storage to registers.
//
// The matrices are loaded in `main` itself, because compilers leave out the bounds checks around a load only where they see
// the range of its offset, and the checks cost half of the speed.
//
// The buffers have MAX_ROWS rows; those of a tile behind the rows dispatched are computed from whatever is there.
//
// Dispatch: tiles of rows in x, so that neighbours share a tile of the weight; tiles of outputs in y.

@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

const TILE_OUTPUTS = OUTPUT_SUBGROUPS * 2u * N;
const WORKGROUP_SIZE = ROW_SUBGROUPS * OUTPUT_SUBGROUPS * SUBGROUP_SIZE;
const DEPTH_UNITS = DEPTH_OCTETS / UNIT_OCTETS;
const STEPS = (IN + TILE_DEPTH - 1u) / TILE_DEPTH;
// A line of a tile in words of 16 bytes; the odd one keeps the lines of a matrix in different banks.
const LINE = DEPTH_OCTETS + 1u;
// Octets of x and units of w that an invocation moves in a step.
const X_OCTETS = TILE_ROWS * DEPTH_OCTETS;
const W_UNITS = TILE_OUTPUTS * DEPTH_UNITS;
const OWN_X = (X_OCTETS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
const OWN_W = (W_UNITS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

// What an invocation moves in a step, on its way from storage to workgroup memory.
struct Step {
  x: array<vec4<f32>, 2u * OWN_X>,
  w: array<WeightUnit, OWN_W>,
}

// Holds a matrix of f32 for each subgroup in the end.
var<workgroup> tile_x: array<vec4<u32>, max(TILE_ROWS * LINE, WORKGROUP_SIZE / SUBGROUP_SIZE * (M * N / 4u))>;
var<workgroup> tile_w: array<vec4<u32>, TILE_OUTPUTS * LINE>;

fn load_step(next: ptr<function, Step>, first_row: u32, first_output: u32, step: u32, lane: u32) {
  for (var i = 0u; i < OWN_X; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let row = min(first_row + at / DEPTH_OCTETS, MAX_ROWS - 1u);
    let octet = step * DEPTH_OCTETS + at % DEPTH_OCTETS;
    let source = (row * (IN / 8u) + octet) * 2u;
    // Behind the last input x is zero, and then any finite weight will do.
    let inside = IN % TILE_DEPTH == 0u || octet < IN / 8u;
    (*next).x[2u * i] = select(vec4<f32>(), x[source], inside);
    (*next).x[2u * i + 1u] = select(vec4<f32>(), x[source + 1u], inside);
  }
  for (var i = 0u; i < OWN_W; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let output = min(first_output + at / DEPTH_UNITS, OUT - 1u);
    let unit = min(step * DEPTH_UNITS + at % DEPTH_UNITS, IN / (8u * UNIT_OCTETS) - 1u);
    (*next).w[i] = weight_unit(output, unit);
  }
}

fn store_step(next: ptr<function, Step>, lane: u32) {
  for (var i = 0u; i < OWN_X; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (X_OCTETS % WORKGROUP_SIZE == 0u || at < X_OCTETS) {
      let to = at / DEPTH_OCTETS * LINE + at % DEPTH_OCTETS;
      tile_x[to] = half_octet((*next).x[2u * i], (*next).x[2u * i + 1u]);
    }
  }
  for (var i = 0u; i < OWN_W; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (W_UNITS % WORKGROUP_SIZE == 0u || at < W_UNITS) {
      let to = at / DEPTH_UNITS * LINE + at % DEPTH_UNITS * UNIT_OCTETS;
      let octets = unit_octets((*next).w[i]);
      for (var j = 0u; j < UNIT_OCTETS; j++) {
        tile_w[to + j] = octets[j];
      }
    }
  }
}

// Adds a matrix of sums to y through workgroup memory, for edges and biases.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn finish(sums: Result, first_row: u32, first_output: u32, lane: u32) {
  let patch_words = M * N / 4u;
  let to = lane / SUBGROUP_SIZE * patch_words;
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tile_x, to, sums, N / 4u);
  workgroupBarrier();
  for (var i = lane % SUBGROUP_SIZE; i < M * N; i += SUBGROUP_SIZE) {
    let row = first_row + i / N;
    let output = first_output + i % N;
    if (row < MAX_ROWS && output < OUT) {
      let column = OUT_OFFSET + output;
      var value = bitcast<f32>(tile_x[to + i / 4u][i % 4u]);
      if (HAS_BIAS) {
        value += unpack2x16float(bias[column / 2u])[column & 1u];
      }
      if (ACCUMULATE) {
        value += y[row * OUT_STRIDE + column];
      }
      y[row * OUT_STRIDE + column] = value;
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_row = workgroup.x * TILE_ROWS;
  let first_output = workgroup.y * TILE_OUTPUTS;
  let subgroup = lane / SUBGROUP_SIZE;
  let row = subgroup % ROW_SUBGROUPS * (4u * M);
  let output = subgroup / ROW_SUBGROUPS * (2u * N);
  let direct = first_row + TILE_ROWS <= MAX_ROWS && first_output + TILE_OUTPUTS <= OUT;

  var sums: Sums;
  if (DIRECT && direct) {
    sums = first_sums(first_row + row, first_output, output, lane);
  }
  let x_at = row * LINE;
  let w_at = output * LINE;
  var next: Step;
  load_step(&next, first_row, first_output, 0u, lane);
  for (var step = 0u; step < STEPS; step++) {
    store_step(&next, lane);
    workgroupBarrier();
    // Behind the last step this reads the last one again: cheaper than a branch.
    load_step(&next, first_row, first_output, min(step + 1u, STEPS - 1u), lane);
    multiply(
      &sums,
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at, LINE),
      subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + N * LINE, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + M * LINE, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u * M * LINE, LINE),
      subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 3u * M * LINE, LINE),
    );
    if (TILE_DEPTH > K) {
      multiply(
        &sums,
        subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + K / 8u, LINE),
        subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + K / 8u + N * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K / 8u, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K / 8u + M * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K / 8u + 2u * M * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + K / 8u + 3u * M * LINE, LINE),
      );
    }
    if (TILE_DEPTH > 2u * K) {
      multiply(
        &sums,
        subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 2u * K / 8u, LINE),
        subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 2u * K / 8u + N * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u * K / 8u, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u * K / 8u + M * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u * K / 8u + 2u * M * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 2u * K / 8u + 3u * M * LINE, LINE),
      );
      multiply(
        &sums,
        subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 3u * K / 8u, LINE),
        subgroupMatrixLoad<Right, col_major>(&tile_w, w_at + 3u * K / 8u + N * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 3u * K / 8u, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 3u * K / 8u + M * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 3u * K / 8u + 2u * M * LINE, LINE),
        subgroupMatrixLoad<Left, row_major>(&tile_x, x_at + 3u * K / 8u + 3u * M * LINE, LINE),
      );
    }
    workgroupBarrier();
  }

  if (DIRECT && direct) {
    store_sums(sums, first_row + row, first_output + output);
    return;
  }
  finish(sums.m00, first_row + row, first_output + output, lane);
  finish(sums.m01, first_row + row, first_output + output + N, lane);
  finish(sums.m10, first_row + row + M, first_output + output, lane);
  finish(sums.m11, first_row + row + M, first_output + output + N, lane);
  finish(sums.m20, first_row + row + 2u * M, first_output + output, lane);
  finish(sums.m21, first_row + row + 2u * M, first_output + output + N, lane);
  finish(sums.m30, first_row + row + 3u * M, first_output + output, lane);
  finish(sums.m31, first_row + row + 3u * M, first_output + output + N, lane);
}
