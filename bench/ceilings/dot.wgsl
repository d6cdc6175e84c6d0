// Dot products of four signed bytes in registers, in CHAINS independent chains of vec4 an invocation.
//
// parameters  [1]            u32, four bytes
// result      [invocations]  i32
//
// Dispatch: any number of workgroups in x. Operations: invocations * STEPS * CHAINS * 4 * 8.

@group(0) @binding(0) var<storage, read> parameters: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<i32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let factor = parameters[0];
  var chains: array<vec4<i32>, CHAINS>;
  for (var c = 0u; c < CHAINS; c++) {
    chains[c] = vec4<i32>(i32(invocation.x + c));
  }
  for (var step = 0u; step < STEPS; step++) {
    for (var c = 0u; c < CHAINS; c++) {
      let words = bitcast<vec4<u32>>(chains[c]);
      chains[c] += vec4<i32>(
        dot4I8Packed(words.x, factor),
        dot4I8Packed(words.y, factor),
        dot4I8Packed(words.z, factor),
        dot4I8Packed(words.w, factor),
      );
    }
  }
  var sum = vec4<i32>();
  for (var c = 0u; c < CHAINS; c++) {
    sum += chains[c];
  }
  result[invocation.x] = sum.x + sum.y + sum.z + sum.w;
}
