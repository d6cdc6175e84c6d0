// Sum and maximum over each LANES consecutive invocations, by a tree in workgroup memory. Each of them gets the
// result.

var<workgroup> lane_values: array<vec4<f32>, WORKGROUP_SIZE>;

fn sum_lanes(value: vec4<f32>, lane: u32) -> vec4<f32> {
  lane_values[lane] = value;
  workgroupBarrier();
  for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
    if (lane % LANES < stride) {
      lane_values[lane] += lane_values[lane + stride];
    }
    workgroupBarrier();
  }
  let total = lane_values[lane - lane % LANES];
  workgroupBarrier();
  return total;
}

fn max_lanes(value: f32, lane: u32) -> f32 {
  lane_values[lane].x = value;
  workgroupBarrier();
  for (var stride = LANES / 2u; stride > 0u; stride >>= 1u) {
    if (lane % LANES < stride) {
      lane_values[lane].x = max(lane_values[lane].x, lane_values[lane + stride].x);
    }
    workgroupBarrier();
  }
  let largest = lane_values[lane - lane % LANES].x;
  workgroupBarrier();
  return largest;
}
