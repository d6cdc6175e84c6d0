// RoPE of four outputs of a projection, two pairs, where they lie in the first half of a query or key head (rope.wgsl).
// Needs rope_table: array<vec4<f32>>, (cos, sin) of two pairs.

// The turn of four outputs from `first` on: none, (1, 0), where they are not turned.
fn turn_of(first: u32, position: u32) -> vec4<f32> {
  let within_head = first % HEAD_DIM;
  if (first >= (HEADS + KV_GROUPS) * HEAD_DIM || within_head >= HEAD_DIM / 2u) {
    return vec4<f32>(1.0, 0.0, 1.0, 0.0);
  }
  return rope_table[position * (HEAD_DIM / 8u) + within_head / 4u];
}

fn turned(four: vec4<f32>, turn: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(
    four.x * turn.x - four.y * turn.y,
    four.y * turn.x + four.x * turn.y,
    four.z * turn.z - four.w * turn.w,
    four.w * turn.z + four.z * turn.w,
  );
}
