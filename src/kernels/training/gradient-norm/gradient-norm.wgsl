// Sum of squares of a gradient, the first step of its norm: parts[FIRST_PART + w] is that of workgroup w's elements.
// Always dealt out over PARTS workgroups, and added in the same order, so that the result does not change.
//
// gradient  [COUNT]  f32
// parts     [FIRST_PART + PARTS or more]  f32
//
// Dispatch: PARTS workgroups, in x.

@group(0) @binding(0) var<storage, read> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> parts: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = workgroup.x * WORKGROUP_SIZE + lane; i < COUNT; i += PARTS * WORKGROUP_SIZE) {
    sum += gradient[i] * gradient[i];
  }
  let total = reduce_sum(vec4<f32>(sum, 0.0, 0.0, 0.0), lane).x;
  if (lane == 0u) {
    parts[FIRST_PART + workgroup.x] = total;
  }
}
