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

fn write_tile(tile_index: u32, first_row: u32, lane: u32) {
  for (var i = lane; i < TILE_ROWS * OUTPUT_FOURS; i += WORKGROUP_SIZE) {
    let row = first_row + i / OUTPUT_FOURS;
    let four = tile_index * OUTPUT_FOURS + i % OUTPUT_FOURS;
    if (row >= MAX_ROWS || four >= OUT / 4u) {
      continue;
    }
    var value = total(i / OUTPUT_FOURS, i % OUTPUT_FOURS);
    if (HAS_BIAS) {
      value += vec4<f32>(unpack2x16float(bias[four].x), unpack2x16float(bias[four].y));
    }
    qkv[row * (OUT / 4u) + four] = turn_four(value, four * 4u, rows[row].z);
  }
}
