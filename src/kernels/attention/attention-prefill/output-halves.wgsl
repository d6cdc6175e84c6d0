// The result in f16, as products on subgroup matrices read it.
//
// y  [rows, HEADS * 128]  f16, in the tiles of common/half-tiles.wgsl

@group(0) @binding(5) var<storage, read_write> y: array<vec4<u32>>;

fn write_octet(row: u32, octet: u32, low: vec4<f32>, high: vec4<f32>) {
  y[half_tile_octet(row, octet, HEADS * 16u)] = half_octet(low, high);
}
