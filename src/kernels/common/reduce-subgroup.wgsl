// Sum over a workgroup of WORKGROUP_SIZE invocations: within subgroups by subgroupAdd, then over the
// subgroups' sums in workgroup memory. Every invocation gets the result. Needs `subgroups`.
// The subgroup size may vary from pipeline to pipeline (SUBGROUP_MIN_SIZE is its least value). Assumed:
// a subgroup holds consecutive lanes, as implementations lay out workgroups of one dimension.

var<workgroup> reduction: array<vec4<f32>, WORKGROUP_SIZE>;

fn reduce_sum(value: vec4<f32>, lane: u32) -> vec4<f32> {
  let first = subgroupMin(lane);
  let sum = subgroupAdd(value);
  reduction[lane] = select(vec4<f32>(0.0), sum, lane == first);
  workgroupBarrier();
  var total = vec4<f32>(0.0);
  for (var i = 0u; i < WORKGROUP_SIZE; i += SUBGROUP_MIN_SIZE) {
    total += reduction[i];
  }
  workgroupBarrier();
  return total;
}
