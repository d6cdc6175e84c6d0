// The output is queries, keys and values: the bias is added, and the first half of each query and key head turned by
// the position, interleaved pairs (rope.wgsl).
//
// bias        [OUT]                        f16 in pairs
// rows        [1]                          vec4<u32> (token, slot, position, prefix length)
// rope_table  [positions, HEAD_DIM / 4]    vec2<f32> (cos, sin)
// qkv         [OUT]                        f32, OUT = (HEADS + 2 KV_GROUPS) * HEAD_DIM

@group(0) @binding(5) var<storage, read> bias: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> rope_table: array<vec2<f32>>;
@group(0) @binding(8) var<storage, read_write> qkv: array<vec4<f32>>;

fn output_rows(first: u32) -> vec4<u32> {
  return first + vec4<u32>(0u, 1u, 2u, 3u);
}

fn emit(first: u32, pass_index: u32, sums: vec4<f32>, lane: u32) {
  if (lane % LANES != 0u || first >= OUT) {
    return;
  }
  let b = select(vec2<u32>(0u), bias[first / 4u], HAS_BIAS);
  var value = sums + vec4<f32>(unpack2x16float(b.x), unpack2x16float(b.y));
  let within_head = first % HEAD_DIM;
  if (first < (HEADS + KV_GROUPS) * HEAD_DIM && within_head < HEAD_DIM / 2u) {
    let at = rows[0].z * (HEAD_DIM / 4u) + within_head / 2u;
    let turns = vec4<f32>(rope_table[at], rope_table[at + 1u]);
    value = vec4<f32>(
      value.x * turns.x - value.y * turns.y,
      value.y * turns.x + value.x * turns.y,
      value.z * turns.z - value.w * turns.w,
      value.w * turns.z + value.z * turns.w,
    );
  }
  qkv[first / 4u] = value;
}

fn finish(index: u32, lane: u32) {}
