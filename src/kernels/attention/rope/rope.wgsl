// Rotary position embedding, in place, on the queries and keys of a joint projection:
//   (a, b) = (h[2i], h[2i+1]);  h[2i] = a cos - b sin;  h[2i+1] = b cos + a sin,   angle = position * theta_i
// Only the first half of each head turns; pairs are interleaved. (ChatGLM3's apply_rotary_pos_emb.)
// BACK turns by -angle: that is the inverse, and since a rotation is orthogonal also the gradient's way back.
//
// rows   [rows]                                       vec4<u32> (token, slot, position, prefix length)
// table  [positions, HEAD_DIM / 4]                    vec2<f32> (cos, sin)
// qkv    [rows, (HEADS + 2 KV_GROUPS) * HEAD_DIM]     f32: queries, keys, values
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> table: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> qkv: array<vec2<f32>>;

const PAIRS = HEAD_DIM / 4u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let position = rows[row].z;
  for (var i = lane; i < (HEADS + KV_GROUPS) * PAIRS; i += WORKGROUP_SIZE) {
    let pair = i % PAIRS;
    let at = (row * (HEADS + 2u * KV_GROUPS) + i / PAIRS) * (HEAD_DIM / 2u) + pair;
    let turn = table[position * PAIRS + pair] * vec2<f32>(1.0, select(1.0, -1.0, BACK));
    let value = qkv[at];
    qkv[at] = vec2<f32>(value.x * turn.x - value.y * turn.y, value.y * turn.x + value.x * turn.y);
  }
}
