// Multiply-adds in registers: x = x * factor + x0, in CHAINS independent chains of vec4 an invocation.
//
// parameters  [1]  f32 (factor), below 1, so that the chains stay finite
// result      [invocations]  f32
//
// Dispatch: any number of workgroups in x. Operations: invocations * STEPS * CHAINS * 8.

@group(0) @binding(0) var<storage, read> parameters: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let factor = vec4<Element>(Element(parameters[0]));
  let start = vec4<Element>(Element(invocation.x & 7u));
  var chains: array<vec4<Element>, CHAINS>;
  for (var c = 0u; c < CHAINS; c++) {
    chains[c] = start + vec4<Element>(Element(c));
  }
  for (var step = 0u; step < STEPS; step++) {
    for (var c = 0u; c < CHAINS; c++) {
      chains[c] = fma(chains[c], factor, start);
    }
  }
  var sum = vec4<Element>();
  for (var c = 0u; c < CHAINS; c++) {
    sum += chains[c];
  }
  result[invocation.x] = f32(sum.x + sum.y + sum.z + sum.w);
}
