// Gradient of SwiGLU, y = silu(gate) * up with silu(g) = g s and s = 1 / (1 + exp(-g)), in place of its input:
//   dgate = dy * up * s (1 + g (1 - s)),   dup = dy * silu(g)
//
// x   [rows, 2 WIDTH]  f32, the gate in the first half; becomes the gradient of both
// dy  [rows, WIDTH]    f32
//
// Dispatch: one invocation an element of dy; WIDTH in x, rows in y.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= WIDTH) {
    return;
  }
  let at = id.y * 2u * WIDTH + id.x;
  let gate = x[at];
  let up = x[at + WIDTH];
  let gradient = dy[id.y * WIDTH + id.x];
  let s = 1.0 / (1.0 + exp(-gate));
  x[at] = gradient * up * s * (1.0 + gate * (1.0 - s));
  x[at + WIDTH] = gradient * gate * s;
}
