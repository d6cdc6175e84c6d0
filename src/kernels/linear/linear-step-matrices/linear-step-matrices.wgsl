// Matrix product of a step of many rows, up to 64, on subgroup matrices, with 4-bit weights: y[r, n] = sum_i x[r, i] * w[n, i]
//
// x  [rows, IN]  f16, in the tiles of common/half-tiles.wgsl
//
// Where the weight is and where y goes is the business of more modules, which say it in their headers:
//   weight-q4.wgsl  weight_unit, unit_octet
//   output-*.wgsl   output_row, write_tile
//
// Every weight is read once for all rows. A workgroup computes 16 outputs of TILE_ROWS rows; its subgroups deal the inputs
// out among SLICES, whose sums are added in the end, always in the same order: so there are many small workgroups with many
// loads under way. A slice goes through its inputs in steps of 256, eight loads of 32 weights from each of the 16 rows, and
// unpacks an octet of every load at a time into workgroup memory. Where there are more rows than a subgroup has matrices
// for, ROW_SUBGROUPS of them share a slice. x is small and comes straight from storage, where the caches hold it.
//
// The ladder, gate and up (4096 x 27392) of 16 rows on an H200: steps of 128 in the order of the weight 68 us; steps of 256
// by octets 61 us; the matrices of x loaded before the barrier 53 us. The matrices have names and are loaded in `main`, for the
// reasons that matmul-subgroup.wgsl gives. Rows behind those dispatched are computed from whatever is there.
//
// Dispatch: tiles of outputs in x and y, tiles of rows in z.

@group(0) @binding(3) var<storage, read> x: array<vec4<u32>>;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Result = subgroup_matrix_result<f32, 16, 16>;

const SUBGROUP = 32u;
const WORKGROUP_SIZE = SLICES * ROW_SUBGROUPS * SUBGROUP;
const TILE_OUTPUTS = 16u;
const TILE_ROWS = 16u * ROW_MATRICES * ROW_SUBGROUPS;
const OUTPUT_FOURS = TILE_OUTPUTS / 4u;
const UNITS = IN / 32u;
const STEP_UNITS = 8u;
const STEPS = (UNITS + STEP_UNITS - 1u) / STEP_UNITS;
const ROUNDS = (STEPS + SLICES - 1u) / SLICES;
// Units of a step that an invocation loads.
const SLICE_LANES = ROW_SUBGROUPS * SUBGROUP;
const OWN_UNITS = TILE_OUTPUTS * STEP_UNITS / SLICE_LANES;
// A line of a slice's tile in words of 16 bytes; the odd one keeps the lines of a matrix in different banks.
const LINE = STEP_UNITS + 1u;
const SLICE_WORDS = TILE_OUTPUTS * LINE;
// In the end, the sums of all slices: f32 [SLICES, TILE_ROWS, TILE_OUTPUTS].
const SUM_WORDS = TILE_ROWS * OUTPUT_FOURS;
// Matrices of 16 rows of x lie so far apart.
const X_ROWS = STEPS * STEP_UNITS * 2u * 32u;

var<workgroup> tile: array<vec4<u32>, SLICES * max(SLICE_WORDS, SUM_WORDS)>;

fn load_step(tile_index: u32, step: u32, own: u32) -> array<WeightUnit, OWN_UNITS> {
  var units: array<WeightUnit, OWN_UNITS>;
  for (var i = 0u; i < OWN_UNITS; i++) {
    let at = own + i * SLICE_LANES;
    let output = min(output_row(tile_index, at / STEP_UNITS), OUT - 1u);
    // Behind the last input x is zero, and then any finite weight will do.
    units[i] = weight_unit(output, min(step * STEP_UNITS + at % STEP_UNITS, UNITS - 1u));
  }
  return units;
}

// The sums of four outputs of a row, over all slices.
fn total(row: u32, four: u32) -> vec4<f32> {
  var value = vec4<f32>();
  for (var slice = 0u; slice < SLICES; slice++) {
    value += bitcast<vec4<f32>>(tile[slice * SUM_WORDS + row * OUTPUT_FOURS + four]);
  }
  return value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile_index = workgroup.y * workgroups.x + workgroup.x;
  let subgroup = lane / SUBGROUP;
  let slice = subgroup / ROW_SUBGROUPS;
  let row_matrix = subgroup % ROW_SUBGROUPS * ROW_MATRICES;
  let own = lane % SLICE_LANES;
  let first_x = (workgroup.z * (TILE_ROWS / 16u) + row_matrix) * X_ROWS;
  let w = slice * SLICE_WORDS;

  var sum0 = Result();
  var sum1 = Result();
  for (var round = 0u; round < ROUNDS; round++) {
    let step = round * SLICES + slice;
    let within = STEPS % SLICES == 0u || step < STEPS;
    let units = load_step(tile_index, min(step, STEPS - 1u), own);
    for (var j = 0u; j < 4u; j++) {
      // The first use is behind the barrier: they are on their way while weights are unpacked.
      let a = first_x + (min(step, STEPS - 1u) * 4u + j) * 128u;
      let left0 = subgroupMatrixLoad<Left, row_major>(&x, a, 2u);
      let left1 = subgroupMatrixLoad<Left, row_major>(&x, a + 32u, 2u);
      let left2 = subgroupMatrixLoad<Left, row_major>(&x, a + 64u, 2u);
      let left3 = subgroupMatrixLoad<Left, row_major>(&x, a + 96u, 2u);
      var more0: Left;
      var more1: Left;
      var more2: Left;
      var more3: Left;
      if (ROW_MATRICES > 1u) {
        more0 = subgroupMatrixLoad<Left, row_major>(&x, a + X_ROWS, 2u);
        more1 = subgroupMatrixLoad<Left, row_major>(&x, a + X_ROWS + 32u, 2u);
        more2 = subgroupMatrixLoad<Left, row_major>(&x, a + X_ROWS + 64u, 2u);
        more3 = subgroupMatrixLoad<Left, row_major>(&x, a + X_ROWS + 96u, 2u);
      }
      for (var i = 0u; i < OWN_UNITS; i++) {
        let at = own + i * SLICE_LANES;
        tile[w + at / STEP_UNITS * LINE + at % STEP_UNITS] = unit_octet(units[i], j);
      }
      workgroupBarrier();
      if (within) {
        let right0 = subgroupMatrixLoad<Right, col_major>(&tile, w, LINE);
        let right1 = subgroupMatrixLoad<Right, col_major>(&tile, w + 2u, LINE);
        let right2 = subgroupMatrixLoad<Right, col_major>(&tile, w + 4u, LINE);
        let right3 = subgroupMatrixLoad<Right, col_major>(&tile, w + 6u, LINE);
        sum0 = subgroupMatrixMultiplyAccumulate(left0, right0, sum0);
        sum0 = subgroupMatrixMultiplyAccumulate(left1, right1, sum0);
        sum0 = subgroupMatrixMultiplyAccumulate(left2, right2, sum0);
        sum0 = subgroupMatrixMultiplyAccumulate(left3, right3, sum0);
        if (ROW_MATRICES > 1u) {
          sum1 = subgroupMatrixMultiplyAccumulate(more0, right0, sum1);
          sum1 = subgroupMatrixMultiplyAccumulate(more1, right1, sum1);
          sum1 = subgroupMatrixMultiplyAccumulate(more2, right2, sum1);
          sum1 = subgroupMatrixMultiplyAccumulate(more3, right3, sum1);
        }
      }
      workgroupBarrier();
    }
  }

  let sums = slice * SUM_WORDS + row_matrix * 16u * OUTPUT_FOURS;
  subgroupMatrixStore<row_major>(&tile, sums, sum0, OUTPUT_FOURS);
  if (ROW_MATRICES > 1u) {
    subgroupMatrixStore<row_major>(&tile, sums + 16u * OUTPUT_FOURS, sum1, OUTPUT_FOURS);
  }
  workgroupBarrier();
  write_tile(tile_index, workgroup.z * TILE_ROWS, lane);
}
