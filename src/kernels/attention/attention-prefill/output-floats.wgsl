// The result as it is.
//
// y  [rows, HEADS * 128]  f32

@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

fn write_octet(row: u32, octet: u32, low: vec4<f32>, high: vec4<f32>) {
  let to = (row * HEADS * 16u + octet) * 2u;
  y[to] = low;
  y[to + 1u] = high;
}
