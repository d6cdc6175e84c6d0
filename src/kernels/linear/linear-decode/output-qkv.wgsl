// The output is queries, keys and values: the bias is added, and the first half of each query and key head turned by
// the position, interleaved pairs (rope.wgsl).
//
// bias        [OUT]                        f16 in pairs
// rows        [1]                          vec4<u32> (token, slot, position, prefix length)
// rope_table  [positions, HEAD_DIM / 4]    vec2<f32> (cos, sin)
// qkv         [OUT]                        f32, OUT = (HEADS + 2 KV_GROUPS) * HEAD_DIM

@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> rope_table: array<vec2<f32>>;
@group(0) @binding(8) var<storage, read_write> qkv: array<vec2<f32>>;

// ROWS is 2: a pair that RoPE turns.
fn output_row(first: u32, r: u32) -> u32 {
  return first + r;
}

fn emit(first: u32, sums: vec2<f32>, lane: u32) {
  if (lane % LANES != 0u || first >= OUT) {
    return;
  }
  var value = sums;
  if (HAS_BIAS) {
    value += unpack2x16float(bias[first / 2u]);
  }
  let within_head = first % HEAD_DIM;
  if (first < (HEADS + KV_GROUPS) * HEAD_DIM && within_head < HEAD_DIM / 2u) {
    let turn = rope_table[rows[0].z * (HEAD_DIM / 4u) + within_head / 2u];
    value = vec2<f32>(value.x * turn.x - value.y * turn.y, value.y * turn.x + value.x * turn.y);
  }
  qkv[first / 2u] = value;
}

fn finish(index: u32, lane: u32) {}
