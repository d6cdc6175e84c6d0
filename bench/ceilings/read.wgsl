// Reads a large buffer once: every workgroup a block of its own, LOADS vectors an invocation, all under way at once.
//
// source  [n]  vec4<u32>
// result  [1]  u32, written in the practically impossible case that keeps the loads from being left out
//
// Dispatch: n / (WORKGROUP_SIZE * LOADS) workgroups, in x and then y.

@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP_SIZE * LOADS + lane;
  var loaded: array<vec4<u32>, LOADS>;
  for (var i = 0u; i < LOADS; i++) {
    loaded[i] = source[min(first + i * WORKGROUP_SIZE, arrayLength(&source) - 1u)];
  }
  var mixed = vec4<u32>();
  for (var i = 0u; i < LOADS; i++) {
    mixed ^= loaded[i];
  }
  if (all(mixed == vec4<u32>(0x9e3779b9u, 0x7f4a7c15u, 0xf39cc060u, 0x5cedc834u))) {
    result[0] = mixed.x;
  }
}
