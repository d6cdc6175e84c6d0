// Gradient of y = tanh(x), in place of the gradient of y: dx[i] = dy[i] * (1 - y[i]^2)
//
// y         [COUNT]  f32, the output of tanh
// gradient  [COUNT]  f32, dy becomes dx
//
// Dispatch: one invocation an element, in x.

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < COUNT) {
    // As a product, 1 - y^2 keeps its precision where y is close to 1.
    gradient[id.x] *= (1.0 - y[id.x]) * (1.0 + y[id.x]);
  }
}
