// Sum and maximum over LANES = 1 consecutive invocations: where each works alone, its value is the result.

fn sum_lanes(value: vec4<f32>, lane: u32) -> vec4<f32> {
  return value;
}

fn max_lanes(value: f32, lane: u32) -> f32 {
  return value;
}
