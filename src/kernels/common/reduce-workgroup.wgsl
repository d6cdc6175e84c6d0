// Sum and maximum over a workgroup of WORKGROUP_SIZE invocations, by a tree in workgroup memory.
// Every invocation gets the result. Needs no feature; the fallback of reduce-subgroup.wgsl.

var<workgroup> reduction: array<vec4<f32>, WORKGROUP_SIZE>;

fn reduce_sum(value: vec4<f32>, lane: u32) -> vec4<f32> {
  reduction[lane] = value;
  workgroupBarrier();
  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride >>= 1u) {
    if (lane < stride) {
      reduction[lane] += reduction[lane + stride];
    }
    workgroupBarrier();
  }
  let total = reduction[0];
  workgroupBarrier();
  return total;
}
