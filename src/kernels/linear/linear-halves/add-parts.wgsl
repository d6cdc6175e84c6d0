// Adds the sums that several workgroups of linear-halves.wgsl made of a product, always in the same order, and writes the result.
//
// parts  [rows, splits, COLUMNS]  f32
//
// Where the result goes is the business of common/tile-*.wgsl: write_tile.
//
// Dispatch: tiles of outputs in x; fours of rows in y and z, as many in z as there are splits.

@group(0) @binding(8) var<storage, read> parts: array<vec4<f32>>;

const WORKGROUP_SIZE = 128u;
const TILE_OUTPUTS = 128u;
const OUTPUT_FOURS = TILE_OUTPUTS / 4u;
const TILE_ROWS = 4u;
const ROWS_OF_PASS = WORKGROUP_SIZE / OUTPUT_FOURS;
const COLUMN_FOURS = (OUT + TILE_OUTPUTS - 1u) / TILE_OUTPUTS * OUTPUT_FOURS;

// The tile that is written, and its first row; and the splits.
var<private> written: vec3<u32>;

// Four outputs of one of the rows that are written.
fn total(row: u32, four: u32) -> vec4<f32> {
  let splits = written.z;
  let first = (written.y + row) * splits * COLUMN_FOURS + written.x * OUTPUT_FOURS + four;
  var value = vec4<f32>();
  // All are on their way at once.
  for (var split = 0u; split < MOST_SPLITS; split++) {
    value += select(vec4<f32>(), parts[first + min(split, splits - 1u) * COLUMN_FOURS], split < splits);
  }
  return value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_row = (workgroup.y * workgroups.z + workgroup.z) * TILE_ROWS;
  written = vec3<u32>(workgroup.x, first_row, workgroups.z);
  write_tile(workgroup.x, first_row, lane);
}
