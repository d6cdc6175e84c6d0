// Dropout: y[i] = m(i) * x[i], with m of common/dropout.wgsl
//
// x  [rows, WIDTH]  f32
// y  [rows, WIDTH]  f32
//
// Dispatch: fours of a row in x, rows in y.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < WIDTH / 4u) {
    let at = id.y * (WIDTH / 4u) + id.x;
    y[at] = kept_four(at) * x[at];
  }
}
