// The output is stored, with the bias where HAS_BIAS, or added to the residual stream where ACCUMULATE.
//
// y     [MAX_ROWS, OUT]  f32
// bias  [OUT]            f16 in pairs

@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> bias: array<vec2<u32>>;

fn output_row(tile_index: u32, output: u32) -> u32 {
  return tile_index * TILE_OUTPUTS + output;
}

// Rows that an invocation writes at once.
const AT_ONCE = min(4u, TILE_ROWS / ROWS_OF_PASS);

// An invocation writes the same four outputs of every row that it writes. What it needs for some rows is loaded before any
// of them is stored, so that nothing waits for memory row by row.
fn write_tile(tile_index: u32, first_row: u32, lane: u32) {
  let four = tile_index * OUTPUT_FOURS + lane % OUTPUT_FOURS;
  if (four >= OUT / 4u) {
    return;
  }
  var added = vec4<f32>();
  if (HAS_BIAS) {
    added = vec4<f32>(unpack2x16float(bias[four].x), unpack2x16float(bias[four].y));
  }
  for (var first = lane / OUTPUT_FOURS; first < TILE_ROWS; first += AT_ONCE * ROWS_OF_PASS) {
    var before: array<vec4<f32>, AT_ONCE>;
    for (var i = 0u; i < AT_ONCE; i++) {
      // The zeros are written out, because some compilers give them only to the first turn of a loop.
      before[i] = vec4<f32>();
      if (ACCUMULATE) {
        before[i] = y[min(first_row + first + i * ROWS_OF_PASS, MAX_ROWS - 1u) * (OUT / 4u) + four];
      }
    }
    for (var i = 0u; i < AT_ONCE; i++) {
      let row = first + i * ROWS_OF_PASS;
      if (first_row + row < MAX_ROWS) {
        y[(first_row + row) * (OUT / 4u) + four] = total(row, lane % OUTPUT_FOURS) + added + before[i];
      }
    }
  }
}
