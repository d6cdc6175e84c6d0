// The tile of a workgroup of linear-halves.wgsl for few rows: 16, 32 or 64 (ROWS_AT_ONCE), of which each of four subgroups has 32
// outputs, in up to 4 x 2 matrices.

const ROW_SUBGROUPS = 1u;
const OUTPUT_MATRICES = 2u;

struct Sums {
  m00: Result, m01: Result,
  m10: Result, m11: Result,
  m20: Result, m21: Result,
  m30: Result, m31: Result,
}

@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn put(sum0: Result, sum1: Result, row: u32, subgroup: u32) {
  let to = row * OUTPUT_FOURS + subgroup * 8u;
  subgroupMatrixStore<row_major>(&tile_w, to, sum0, OUTPUT_FOURS);
  subgroupMatrixStore<row_major>(&tile_w, to + 4u, sum1, OUTPUT_FOURS);
}

fn finish_tile(
  sums: ptr<function, Sums>,
  tile_index: u32, first_row: u32, subgroup: u32, lane: u32,
  part: u32, parts_of_row: u32,
) {
  if (parts_of_row > 1u) {
    let column = tile_index * TILE_OUTPUTS + subgroup * 32u;
    keep_pair((*sums).m00, (*sums).m01, first_row, column, part, parts_of_row);
    if (OWN_TILES > 1u) {
      keep_pair((*sums).m10, (*sums).m11, first_row + 16u, column, part, parts_of_row);
    }
    if (OWN_TILES > 2u) {
      keep_pair((*sums).m20, (*sums).m21, first_row + 32u, column, part, parts_of_row);
      keep_pair((*sums).m30, (*sums).m31, first_row + 48u, column, part, parts_of_row);
    }
    return;
  }
  put((*sums).m00, (*sums).m01, 0u, subgroup);
  if (OWN_TILES > 1u) {
    put((*sums).m10, (*sums).m11, 16u, subgroup);
  }
  workgroupBarrier();
  write_tile(tile_index, first_row, lane);
  if (OWN_TILES > 2u) {
    workgroupBarrier();
    put((*sums).m20, (*sums).m21, 0u, subgroup);
    put((*sums).m30, (*sums).m31, 16u, subgroup);
    workgroupBarrier();
    write_tile(tile_index, first_row + 32u, lane);
  }
}
