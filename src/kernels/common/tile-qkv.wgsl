// The output is queries, keys and values: the bias is added, and the first half of each query and key head turned by
// the position, interleaved pairs (rope.wgsl).
//
// bias        [OUT]                      f16 in pairs
// rows        [MAX_ROWS]                 vec4<u32> (token, slot, position, prefix length)
// rope_table  [positions, HEAD_DIM / 4]  vec2<f32> (cos, sin)
// qkv         [MAX_ROWS, OUT]            f32, OUT = (HEADS + 2 KV_GROUPS) * HEAD_DIM

@group(0) @binding(4) var<storage, read> bias: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> rope_table: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> qkv: array<vec4<f32>>;

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
    var turns: array<vec4<f32>, AT_ONCE>;
    for (var i = 0u; i < AT_ONCE; i++) {
      turns[i] = turn_of(four * 4u, rows[min(first_row + first + i * ROWS_OF_PASS, MAX_ROWS - 1u)].z);
    }
    for (var i = 0u; i < AT_ONCE; i++) {
      let row = first + i * ROWS_OF_PASS;
      if (first_row + row < MAX_ROWS) {
        qkv[(first_row + row) * (OUT / 4u) + four] = turned(total(row, lane % OUTPUT_FOURS) + added, turns[i]);
      }
    }
  }
}
