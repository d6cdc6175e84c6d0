// The tile of a workgroup of linear-halves.wgsl for many rows: 128 (ROWS_AT_ONCE), of which each of 2 x 2 subgroups has 64 outputs of 16
// in every 32 rows, in 4 x 4 matrices.

const ROW_SUBGROUPS = 2u;
const OUTPUT_MATRICES = 4u;

struct Sums {
  m00: Result, m01: Result, m02: Result, m03: Result,
  m10: Result, m11: Result, m12: Result, m13: Result,
  m20: Result, m21: Result, m22: Result, m23: Result,
  m30: Result, m31: Result, m32: Result, m33: Result,
}

// Writes 32 rows of the tile, of which every subgroup has a quarter.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn finish(sum0: Result, sum1: Result, sum2: Result, sum3: Result, tile_index: u32, first_row: u32, subgroup: u32, lane: u32) {
  let to = subgroup % 2u * 16u * OUTPUT_FOURS + subgroup / 2u * 16u;
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&tile_w, to, sum0, OUTPUT_FOURS);
  subgroupMatrixStore<row_major>(&tile_w, to + 4u, sum1, OUTPUT_FOURS);
  subgroupMatrixStore<row_major>(&tile_w, to + 8u, sum2, OUTPUT_FOURS);
  subgroupMatrixStore<row_major>(&tile_w, to + 12u, sum3, OUTPUT_FOURS);
  workgroupBarrier();
  write_tile(tile_index, first_row, lane);
}

fn finish_tile(
  sums: ptr<function, Sums>,
  tile_index: u32, first_row: u32, subgroup: u32, lane: u32,
  part: u32, parts_of_row: u32,
) {
  if (parts_of_row > 1u) {
    let row = first_row + subgroup % 2u * 16u;
    let column = tile_index * TILE_OUTPUTS + subgroup / 2u * 64u;
    keep_pair((*sums).m00, (*sums).m01, row, column, part, parts_of_row);
    keep_pair((*sums).m02, (*sums).m03, row, column + 32u, part, parts_of_row);
    keep_pair((*sums).m10, (*sums).m11, row + 32u, column, part, parts_of_row);
    keep_pair((*sums).m12, (*sums).m13, row + 32u, column + 32u, part, parts_of_row);
    keep_pair((*sums).m20, (*sums).m21, row + 64u, column, part, parts_of_row);
    keep_pair((*sums).m22, (*sums).m23, row + 64u, column + 32u, part, parts_of_row);
    keep_pair((*sums).m30, (*sums).m31, row + 96u, column, part, parts_of_row);
    keep_pair((*sums).m32, (*sums).m33, row + 96u, column + 32u, part, parts_of_row);
    return;
  }
  finish((*sums).m00, (*sums).m01, (*sums).m02, (*sums).m03, tile_index, first_row, subgroup, lane);
  finish((*sums).m10, (*sums).m11, (*sums).m12, (*sums).m13, tile_index, first_row + 32u, subgroup, lane);
  finish((*sums).m20, (*sums).m21, (*sums).m22, (*sums).m23, tile_index, first_row + 64u, subgroup, lane);
  finish((*sums).m30, (*sums).m31, (*sums).m32, (*sums).m33, tile_index, first_row + 96u, subgroup, lane);
}
