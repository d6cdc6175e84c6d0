// Nothing is dropped.

fn kept_four(four: u32) -> vec4<f32> {
  return vec4<f32>(1.0);
}
