// RMSNorm: y[r, i] = x[r, i] / sqrt(mean_i(x[r, i]^2) + EPSILON) * weight[i]
//
// x       [rows, WIDTH] f32
// weight  [WIDTH]       f16 in pairs, element 2i in the low half of word i
// y       [rows, WIDTH] f32
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x * WIDTH;

  var squares = 0.0;
  for (var i = lane; i < WIDTH; i += WORKGROUP_SIZE) {
    let value = x[row + i];
    squares += value * value;
  }
  let mean = reduce_sum(vec4<f32>(squares, 0.0, 0.0, 0.0), lane).x / f32(WIDTH);
  let scale = inverseSqrt(mean + EPSILON);

  for (var i = lane; i < WIDTH; i += WORKGROUP_SIZE) {
    let pair = unpack2x16float(weight[i / 2u]);
    y[row + i] = x[row + i] * scale * select(pair.x, pair.y, (i & 1u) == 1u);
  }
}
