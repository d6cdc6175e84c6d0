// y  [rows, OUT]  f32: what the product put out.

@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

fn add_four(row: u32, four: u32, value: vec4<f32>) {
  y[row * (OUT / 4u) + four] += value;
}
