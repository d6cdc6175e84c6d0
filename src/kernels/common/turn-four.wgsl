// RoPE of four outputs of a projection, two pairs, where they lie in the first half of a query or key head (rope.wgsl).
// Needs rope_table: array<vec4<f32>>, (cos, sin) of two pairs.

fn turn_four(four: vec4<f32>, first: u32, position: u32) -> vec4<f32> {
  let within_head = first % HEAD_DIM;
  if (first >= (HEADS + KV_GROUPS) * HEAD_DIM || within_head >= HEAD_DIM / 2u) {
    return four;
  }
  let turn = rope_table[position * (HEAD_DIM / 8u) + within_head / 4u];
  return vec4<f32>(
    four.x * turn.x - four.y * turn.y,
    four.y * turn.x + four.x * turn.y,
    four.z * turn.z - four.w * turn.w,
    four.w * turn.z + four.z * turn.w,
  );
}
