// The output is stored, or added to the residual stream where ACCUMULATE.
//
// y  [MAX_ROWS, OUT]  f32

@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

fn output_row(tile_index: u32, output: u32) -> u32 {
  return tile_index * TILE_OUTPUTS + output;
}

fn write_tile(tile_index: u32, first_row: u32, lane: u32) {
  for (var i = lane; i < TILE_ROWS * OUTPUT_FOURS; i += WORKGROUP_SIZE) {
    let row = first_row + i / OUTPUT_FOURS;
    let four = tile_index * OUTPUT_FOURS + i % OUTPUT_FOURS;
    if (row < MAX_ROWS && four < OUT / 4u) {
      let value = total(i / OUTPUT_FOURS, i % OUTPUT_FOURS);
      let at = row * (OUT / 4u) + four;
      y[at] = value + select(vec4<f32>(), y[at], ACCUMULATE);
    }
  }
}
