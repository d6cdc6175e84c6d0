// Matrix product on subgroup matrices, of activations in f16 and 4-bit weights: y[r, n] = sum_i x[r, i] * w[n, i]
//
// x  [rows, IN]  f16, in the tiles of common/half-tiles.wgsl
//
// Where the weight is, where y goes, who has which part of a tile, and who adds the sums of several workgroups is the business
// of more modules, which say it in their headers:
//   common/weight-units-q4.wgsl       weight_unit, unit_octet
//   common/tile-*.wgsl                output_row, write_tile
//   few-rows.wgsl, many-rows.wgsl     Sums, finish_tile
//   whole.wgsl, split.wgsl            keep_four
//
// A workgroup computes 128 outputs of ROWS_AT_ONCE rows, with four subgroups. Weights are loaded 256 inputs at a time (a span:
// eight units of 32, so that neighbours load a line of the cache), and multiplied in four steps of 64: octet number J of every
// unit. Both factors of a step go through workgroup memory, while the next ones are on their way from storage to registers. The
// steps, and the products of a step, are repeated in the text (step.wgsl, multiply-*.wgsl), because what a loop selects from a
// vector by its counter is not kept in registers.
//
// Measured for gate and up of 512 rows on an H200: x in f32 715 us, in f16 546 us, 4 x 4 matrices a subgroup instead of 4 x 2 486 us,
// weights a span at a time 470 us; the steps in a loop 520 us. The matrices have names and are loaded in `main`, for the reasons
// that matmul-subgroup.wgsl gives. Rows behind those dispatched are computed from whatever is there.
//
// Dispatch: tiles of rows in x, so that neighbours share a tile of the weight; tiles of outputs in y; splits of the inputs in z.

@group(0) @binding(3) var<storage, read> x: array<vec4<u32>>;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Result = subgroup_matrix_result<f32, 16, 16>;

const WORKGROUP_SIZE = 128u;
const TILE_OUTPUTS = 128u;
const OUTPUT_FOURS = TILE_OUTPUTS / 4u;
// Tiles of 16 rows.
const OWN_TILES = ROWS_AT_ONCE / 16u;
// Rows that are written at a time.
const TILE_ROWS = min(ROWS_AT_ONCE, 32u);
// Rows that the invocations write in a pass.
const ROWS_OF_PASS = WORKGROUP_SIZE / OUTPUT_FOURS;
const UNITS = IN / 32u;
const SPANS = (UNITS + 7u) / 8u;
// Units of w that an invocation moves.
const OWN_UNITS = 8u;
// A line of a tile in words of 16 bytes; the odd one keeps the lines of a matrix in different banks.
const LINE = 9u;
const MATRIX = 16u * LINE;

var<workgroup> tile_x: array<vec4<u32>, ROWS_AT_ONCE * LINE>;
// In the end the sums of some rows: f32 [TILE_ROWS, TILE_OUTPUTS].
var<workgroup> tile_w: array<vec4<u32>, TILE_OUTPUTS * LINE>;

// An octet of each tile of rows: a step of such a tile is 128 words in one piece.
fn load_x(first_tile: u32, step: u32, lane: u32) -> array<vec4<u32>, OWN_TILES> {
  var octets: array<vec4<u32>, OWN_TILES>;
  let first = first_tile * SPANS * 512u + step * 128u + lane / 32u * 32u + lane_row(lane) * 2u + lane % 2u;
  for (var i = 0u; i < OWN_TILES; i++) {
    octets[i] = x[first + i * SPANS * 512u];
  }
  return octets;
}

// Even rows first: then what is stored at once lies in different banks.
fn lane_row(lane: u32) -> u32 {
  return lane / 2u % 8u * 2u + lane / 16u % 2u;
}

fn load_units(tile_index: u32, span: u32, lane: u32) -> array<WeightUnit, OWN_UNITS> {
  var units: array<WeightUnit, OWN_UNITS>;
  for (var i = 0u; i < OWN_UNITS; i++) {
    // Behind the last input x is zero, and then any finite weight will do. Outputs behind the last are not written.
    units[i] = weight_unit(output_row(tile_index, lane / 8u + i * 16u), min(span * 8u + lane % 8u, UNITS - 1u));
  }
  return units;
}

// Four outputs of one of the rows that are written.
fn total(row: u32, four: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(tile_w[row * OUTPUT_FOURS + four]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = workgroup.x * ROWS_AT_ONCE;
  let tile_index = workgroup.y;
  let subgroup = lane / 32u;
  let x_at = subgroup % ROW_SUBGROUPS * MATRIX;
  let w_at = subgroup / ROW_SUBGROUPS * OUTPUT_MATRICES * MATRIX;
  let x_to = lane_row(lane) * LINE + lane / 32u * 2u + lane % 2u;
  let w_to = lane / 8u * LINE + lane % 8u;
  let spans = (SPANS + workgroups.z - 1u) / workgroups.z;
  let first_span = min(workgroup.z * spans, SPANS - 1u);
  let end = min(workgroup.z * spans + spans, SPANS);

  var sums: Sums;
  var octets = load_x(first_row / 16u, first_span * 4u, lane);
  var units = load_units(tile_index, first_span, lane);
  for (var span = workgroup.z * spans; span < end; span++) {
