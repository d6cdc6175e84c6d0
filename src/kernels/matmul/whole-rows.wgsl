// The same product as matmul.wgsl for software adapters: an invocation computes an output of eight rows alone, in registers.
// Workgroup memory and barriers cost a CPU more than they save.
//
// Dispatch: WORKGROUP_SIZE outputs in x, eights of rows in y.

@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;

// Where four rows of x begin, from one on; rows behind the last one repeat it.
fn starts(first_row: u32) -> vec4<u32> {
  return min(vec4<u32>(first_row) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(MAX_ROWS - 1u)) * (IN / 4u);
}

// What eight inputs of four rows add to an output.
fn products(at: vec4<u32>, w: array<vec4<f32>, 2>) -> vec4<f32> {
  return vec4<f32>(
    dot(x[at.x], w[0]) + dot(x[at.x + 1u], w[1]),
    dot(x[at.y], w[0]) + dot(x[at.y + 1u], w[1]),
    dot(x[at.z], w[0]) + dot(x[at.z + 1u], w[1]),
    dot(x[at.w], w[0]) + dot(x[at.w + 1u], w[1]),
  );
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let output = workgroup.x * WORKGROUP_SIZE + lane;
  let first_row = workgroup.y * 8u;
  let low = starts(first_row);
  let high = starts(first_row + 4u);
  var low_sums = vec4<f32>();
  var high_sums = vec4<f32>();
  for (var octet = 0u; octet < IN / 8u; octet++) {
    let w = weight_octet(min(output, OUT - 1u), octet);
    low_sums += products(low + 2u * octet, w);
    if (MAX_ROWS > 4u) {
      high_sums += products(high + 2u * octet, w);
    }
  }
  for (var j = 0u; j < 4u; j++) {
    store(first_row + j, output, low_sums[j]);
    store(first_row + 4u + j, output, high_sums[j]);
  }
}
