// Matrix product of a chunk of a prompt on subgroup matrices, with 4-bit weights: y[r, n] = sum_i x[r, i] * w[n, i]
//
// x  [rows, IN]  f16, in the tiles of common/half-tiles.wgsl
//
// Where the weight is, where y goes and who adds the sums of several workgroups is the business of more modules, which say it
// in their headers:
//   common/weight-units-q4.wgsl  weight_unit, unit_octet
//   common/tile-*.wgsl           output_row, write_tile
//   whole.wgsl, split.wgsl       keep_parts
//
// A workgroup computes 128 outputs of 128 rows; each of its 2 x 2 subgroups has 64 outputs, and 16 of every 32 rows, in 4 x 4
// matrices. Weights are loaded 256 inputs at a time (a span: eight units of 32, so that neighbours load a line of the cache),
// and multiplied in four steps of 64: octet number J of every unit. Both factors of a step go through workgroup memory, while
// the next ones are on their way from storage to registers. The steps are repeated in the text (step.wgsl), because what a
// loop selects from a vector by its counter is not kept in registers.
//
// Measured for gate and up of 512 rows on an H200: x in f32 715 us, in f16 546 us, 4 x 4 matrices instead of 4 x 2 486 us, weights a
// span at a time 470 us; the steps in a loop 520 us. The matrices have names and are loaded in `main`, for the reasons that
// matmul-subgroup.wgsl gives. Rows behind those dispatched are computed from whatever is there.
//
// Dispatch: tiles of rows in x, so that neighbours share a tile of the weight; tiles of outputs in y; splits of the inputs in z.

@group(0) @binding(3) var<storage, read> x: array<vec4<u32>>;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Result = subgroup_matrix_result<f32, 16, 16>;

const WORKGROUP_SIZE = 128u;
const TILE_OUTPUTS = 128u;
const OUTPUT_FOURS = TILE_OUTPUTS / 4u;
// Rows of the tile that are written at a time.
const TILE_ROWS = 32u;
const ROW_TILES = (MAX_ROWS + 15u) / 16u;
const UNITS = IN / 32u;
const SPANS = (UNITS + 7u) / 8u;
// Octets of x and units of w that an invocation moves.
const OWN = 8u;
// A line of a tile in words of 16 bytes; the odd one keeps the lines of a matrix in different banks.
const LINE = 9u;
const MATRIX = 16u * LINE;

// Of x in the end the sums of 32 rows: f32 [TILE_ROWS, TILE_OUTPUTS].
var<workgroup> tile_x: array<vec4<u32>, 128u * LINE>;
var<workgroup> tile_w: array<vec4<u32>, 128u * LINE>;

struct Sums {
  m00: Result, m01: Result, m02: Result, m03: Result,
  m10: Result, m11: Result, m12: Result, m13: Result,
  m20: Result, m21: Result, m22: Result, m23: Result,
  m30: Result, m31: Result, m32: Result, m33: Result,
}

// Octets of 16 rows each: a step of a row of tiles is 128 words in one piece.
fn load_x(first_tile: u32, step: u32, lane: u32) -> array<vec4<u32>, OWN> {
  var octets: array<vec4<u32>, OWN>;
  let octet = step / 4u * 32u + (lane / 32u * 2u + lane % 2u) * 4u + step % 4u;
  let inside = IN % 256u == 0u || octet < IN / 8u;
  for (var i = 0u; i < OWN; i++) {
    let source = (min(first_tile + i, ROW_TILES - 1u) * SPANS * 4u + step) * 128u + lane / 32u * 32u + lane_row(lane) * 2u + lane % 2u;
    octets[i] = select(vec4<u32>(), x[source], inside);
  }
  return octets;
}

// Even rows first: then what is stored at once lies in different banks.
fn lane_row(lane: u32) -> u32 {
  return lane / 2u % 8u * 2u + lane / 16u % 2u;
}

fn load_units(tile_index: u32, span: u32, lane: u32) -> array<WeightUnit, OWN> {
  var units: array<WeightUnit, OWN>;
  for (var i = 0u; i < OWN; i++) {
    let output = min(output_row(tile_index, lane / 8u + i * 16u), OUT - 1u);
    // Behind the last input x is zero, and then any finite weight will do.
    units[i] = weight_unit(output, min(span * 8u + lane % 8u, UNITS - 1u));
  }
  return units;
}

fn multiply(
  sums: ptr<function, Sums>,
  left0: Left, left1: Left, left2: Left, left3: Left,
  right0: Right, right1: Right, right2: Right, right3: Right,
) {
  (*sums).m00 = subgroupMatrixMultiplyAccumulate(left0, right0, (*sums).m00);
  (*sums).m01 = subgroupMatrixMultiplyAccumulate(left0, right1, (*sums).m01);
  (*sums).m02 = subgroupMatrixMultiplyAccumulate(left0, right2, (*sums).m02);
  (*sums).m03 = subgroupMatrixMultiplyAccumulate(left0, right3, (*sums).m03);
  (*sums).m10 = subgroupMatrixMultiplyAccumulate(left1, right0, (*sums).m10);
  (*sums).m11 = subgroupMatrixMultiplyAccumulate(left1, right1, (*sums).m11);
  (*sums).m12 = subgroupMatrixMultiplyAccumulate(left1, right2, (*sums).m12);
  (*sums).m13 = subgroupMatrixMultiplyAccumulate(left1, right3, (*sums).m13);
  (*sums).m20 = subgroupMatrixMultiplyAccumulate(left2, right0, (*sums).m20);
  (*sums).m21 = subgroupMatrixMultiplyAccumulate(left2, right1, (*sums).m21);
  (*sums).m22 = subgroupMatrixMultiplyAccumulate(left2, right2, (*sums).m22);
  (*sums).m23 = subgroupMatrixMultiplyAccumulate(left2, right3, (*sums).m23);
  (*sums).m30 = subgroupMatrixMultiplyAccumulate(left3, right0, (*sums).m30);
  (*sums).m31 = subgroupMatrixMultiplyAccumulate(left3, right1, (*sums).m31);
  (*sums).m32 = subgroupMatrixMultiplyAccumulate(left3, right2, (*sums).m32);
  (*sums).m33 = subgroupMatrixMultiplyAccumulate(left3, right3, (*sums).m33);
}

// Four outputs of one of the rows that are written.
fn total(row: u32, four: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(tile_x[row * OUTPUT_FOURS + four]);
}

// Writes 32 rows of the tile, of which every subgroup has a quarter.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn finish(sum0: Result, sum1: Result, sum2: Result, sum3: Result, tile_index: u32, first_row: u32, subgroup: u32, lane: u32) {
  let to = subgroup % 2u * 16u * OUTPUT_FOURS + subgroup / 2u * 16u;
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tile_x, to, sum0, OUTPUT_FOURS);
  subgroupMatrixStore<row_major>(&tile_x, to + 4u, sum1, OUTPUT_FOURS);
  subgroupMatrixStore<row_major>(&tile_x, to + 8u, sum2, OUTPUT_FOURS);
  subgroupMatrixStore<row_major>(&tile_x, to + 12u, sum3, OUTPUT_FOURS);
  workgroupBarrier();
  write_tile(tile_index, first_row, lane);
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = workgroup.x * 128u;
  let tile_index = workgroup.y;
  let subgroup = lane / 32u;
  let x_at = subgroup % 2u * MATRIX;
  let w_at = subgroup / 2u * 4u * MATRIX;
  let x_to = lane_row(lane) * LINE + lane / 32u * 2u + lane % 2u;
  let w_to = lane / 8u * LINE + lane % 8u;
  let spans = (SPANS + workgroups.z - 1u) / workgroups.z;
  let first_span = min(workgroup.z * spans, SPANS - 1u);
  let end = min(workgroup.z * spans + spans, SPANS);

  var sums: Sums;
  var octets = load_x(first_row / 16u, first_span * 4u, lane);
  var units = load_units(tile_index, first_span, lane);
  for (var span = workgroup.z * spans; span < end; span++) {
