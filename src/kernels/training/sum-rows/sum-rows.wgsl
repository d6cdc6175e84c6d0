// Sum of the rows of a matrix, the gradient of a bias: y[i] = sum_r x[r, i]
//
// x  [ROWS, WIDTH]  f32
// y  [WIDTH]        f32
//
// Dispatch: one invocation a column, in x.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= WIDTH) {
    return;
  }
  var sum = 0.0;
  for (var row = 0u; row < ROWS; row++) {
    sum += x[row * WIDTH + id.x];
  }
  y[id.x] = sum;
}
