// The same product as matmul-transposed.wgsl for software adapters: an invocation computes eight inputs of four rows alone,
// in registers. Workgroup memory and barriers cost a CPU more than they save.
//
// Dispatch: in x an invocation for each eight inputs of each four rows, those of the same rows side by side.

@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4<f32>>;

const OCTETS = IN / 8u;

fn store(row: u32, octet: u32, low: vec4<f32>, high: vec4<f32>) {
  if (row >= MAX_ROWS) {
    return;
  }
  let at = (row * OCTETS + octet) * 2u;
  if (ACCUMULATE) {
    dx[at] += low;
    dx[at + 1u] += high;
  } else {
    dx[at] = low;
    dx[at + 1u] = high;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP_SIZE + lane;
  let octet = index % OCTETS;
  let first_row = index / OCTETS * 4u;
  // Rows behind the last one repeat it and are not stored.
  let at = min(vec4<u32>(first_row) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(MAX_ROWS - 1u)) * OUT_STRIDE + OUT_OFFSET;
  var low0 = vec4<f32>();
  var low1 = vec4<f32>();
  var low2 = vec4<f32>();
  var low3 = vec4<f32>();
  var high0 = vec4<f32>();
  var high1 = vec4<f32>();
  var high2 = vec4<f32>();
  var high3 = vec4<f32>();
  for (var n = 0u; n < OUT; n++) {
    let w = weight_octet(n, octet);
    let d = vec4<f32>(dy[at.x + n], dy[at.y + n], dy[at.z + n], dy[at.w + n]);
    low0 += d.x * w[0];
    low1 += d.y * w[0];
    low2 += d.z * w[0];
    low3 += d.w * w[0];
    high0 += d.x * w[1];
    high1 += d.y * w[1];
    high2 += d.z * w[1];
    high3 += d.w * w[1];
  }
  store(first_row, octet, low0, high0);
  store(first_row + 1u, octet, low1, high1);
  store(first_row + 2u, octet, low2, high2);
  store(first_row + 3u, octet, low3, high3);
}
