// Matrix product for few rows (a decode step): y[r, n] (+)= sum_i x[r, i] * w[n, i] (+ bias[n])
//
// The weight w [OUT, IN] is in one of the formats of common/weight-*.wgsl (bindings 0 to 2). It may be a slice of a
// larger one: its outputs go to the columns OUT_OFFSET .. OUT_OFFSET + OUT - 1 of y, which has OUT_STRIDE columns.
//
// x     [ROWS, IN]          f32
// bias  [OUT_STRIDE]        f16 in pairs, read where HAS_BIAS
// y     [ROWS, OUT_STRIDE]  f32, added to where ACCUMULATE (the residual), else overwritten
//
// Dispatch: one workgroup for four outputs, so that a loaded x serves four weights, in x and then y; each
// weight is read once for all ROWS.

@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (workgroup.y * workgroups.x + workgroup.x) * 4u;
  // Outputs behind the end repeat the last one and are not stored.
  let last = OUT - 1u;

  var sums: array<vec4<f32>, ROWS>;
  for (var octet = lane; octet < IN / 8u; octet += WORKGROUP_SIZE) {
    let w0 = weight_octet(min(first, last), octet);
    let w1 = weight_octet(min(first + 1u, last), octet);
    let w2 = weight_octet(min(first + 2u, last), octet);
    let w3 = weight_octet(min(first + 3u, last), octet);
    for (var r = 0u; r < ROWS; r++) {
      let low = x[r * (IN / 4u) + octet * 2u];
      let high = x[r * (IN / 4u) + octet * 2u + 1u];
      sums[r] += vec4<f32>(dot(w0[0], low), dot(w1[0], low), dot(w2[0], low), dot(w3[0], low));
      sums[r] += vec4<f32>(dot(w0[1], high), dot(w1[1], high), dot(w2[1], high), dot(w3[1], high));
    }
  }

  for (var r = 0u; r < ROWS; r++) {
    let total = reduce_sum(sums[r], lane);
    if (lane < 4u && first + lane < OUT) {
      let column = OUT_OFFSET + first + lane;
      let at = r * OUT_STRIDE + column;
      var value = total[lane];
      if (HAS_BIAS) {
        value += unpack2x16float(bias[column / 2u])[column & 1u];
      }
      if (ACCUMULATE) {
        value += y[at];
      }
      y[at] = value;
    }
  }
}
