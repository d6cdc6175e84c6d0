// The output is queries, keys and values: the bias is added, and the first half of each query and key head turned by
// the position, interleaved pairs (rope.wgsl).
//
// bias        [OUT]                      f16 in pairs
// rows        [rows]                     vec4<u32> (token, slot, position, prefix length)
// rope_table  [positions, HEAD_DIM / 4]  vec2<f32> (cos, sin)
// qkv         [rows, OUT]                f32, OUT = (HEADS + 2 KV_GROUPS) * HEAD_DIM

@group(0) @binding(5) var<storage, read> bias: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> rope_table: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> qkv: array<vec4<f32>>;

fn output_row(first: u32, n: u32) -> u32 {
  return first + n;
}

fn emit(row: u32, first: u32, total: vec4<f32>) {
  var four = total;
  if (HAS_BIAS) {
    four += vec4<f32>(unpack2x16float(bias[first / 4u].x), unpack2x16float(bias[first / 4u].y));
  }
  qkv[(row * OUT + first) / 4u] = turned(four, turn_of(first, rows[row].z));
}
