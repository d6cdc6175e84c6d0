// The same product as matmul.wgsl for software adapters: an invocation computes an output of eight rows alone, in registers.
// Workgroup memory and barriers cost a CPU more than they save. How the rows are read is the business of
// four-rows-plain.wgsl or four-rows-subgroup.wgsl.
//
// Dispatch: WORKGROUP_SIZE outputs in x, eights of rows in y.

@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let output = workgroup.x * WORKGROUP_SIZE + lane;
  let first_row = workgroup.y * 8u;
  let low = four_rows(first_row, lane);
  let high = four_rows(first_row + 4u, lane);
  var low_sums = vec4<f32>();
  var high_sums = vec4<f32>();
  for (var octet = 0u; octet < IN / 8u; octet++) {
    let w = weight_octet(min(output, OUT - 1u), octet);
    low_sums += products(low, octet, w);
    if (MAX_ROWS > 4u) {
      high_sums += products(high, octet, w);
    }
  }
  for (var j = 0u; j < 4u; j++) {
    store(first_row + j, output, low_sums[j]);
    store(first_row + 4u + j, output, high_sums[j]);
  }
}
