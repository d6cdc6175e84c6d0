// Gradient of RMSNorm, y = x * r * weight with r = 1 / sqrt(mean_i(x[i]^2) + EPSILON), row by row:
//   dx[i] (+)= r * weight[i] * dy[i] - x[i] * r^3 * mean_j(x[j] * weight[j] * dy[j])
//
// x       [rows, WIDTH] f32, the norm's input
// weight  [WIDTH]       f16 in pairs, element 2i in the low half of word i
// dy      [rows, WIDTH] f32
// dx      [rows, WIDTH] f32, added to where ACCUMULATE (the residual stream's gradient), else overwritten
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

fn weighted(row: u32, i: u32) -> f32 {
  let pair = unpack2x16float(weight[i / 2u]);
  return dy[row + i] * select(pair.x, pair.y, (i & 1u) == 1u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x * WIDTH;

  var sums = vec4<f32>(0.0);
  for (var i = lane; i < WIDTH; i += WORKGROUP_SIZE) {
    let value = x[row + i];
    sums += vec4<f32>(value * value, value * weighted(row, i), 0.0, 0.0);
  }
  let means = reduce_sum(sums, lane) / f32(WIDTH);
  let scale = inverseSqrt(means.x + EPSILON);
  let along = scale * scale * scale * means.y;

  for (var i = lane; i < WIDTH; i += WORKGROUP_SIZE) {
    var value = scale * weighted(row, i) - along * x[row + i];
    if (ACCUMULATE) {
      value += dx[row + i];
    }
    dx[row + i] = value;
  }
}
