// Hyperbolic tangent, in place: x[i] = tanh(x[i])
//
// x  [COUNT]  f32
//
// Dispatch: one invocation an element, in x.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < COUNT) {
    // Some drivers compute tanh as a quotient of exponentials, which is NaN far out; there it is 1 in f32.
    x[id.x] = tanh(clamp(x[id.x], -15.0, 15.0));
  }
}
