// Sum and maximum over each LANES consecutive invocations, which are one subgroup. Each of them gets the result.

fn sum_lanes(value: vec4<f32>, lane: u32) -> vec4<f32> {
  return subgroupAdd(value);
}

fn max_lanes(value: f32, lane: u32) -> f32 {
  return subgroupMax(value);
}
