// SwiGLU: y[r, i] = silu(x[r, i]) * x[r, WIDTH + i],  silu(g) = g / (1 + exp(-g))
//
// x  [rows, 2 WIDTH]  f32, the gate in the first half
// y  [rows, WIDTH]    f32
//
// Dispatch: one invocation an element; WIDTH in x, rows in y.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= WIDTH) {
    return;
  }
  let at = id.y * 2u * WIDTH + id.x;
  let gate = x[at];
  y[id.y * WIDTH + id.x] = gate / (1.0 + exp(-gate)) * x[at + WIDTH];
}
