// Four consecutive elements of a row of dy, x and dw, where OUT and IN are multiples of 4: a quad is one vector, and
// wholly inside a row or outside.

@group(0) @binding(0) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> dw: array<vec4<f32>>;

fn dy_quad(row: u32, first: u32) -> vec4<f32> {
  if (first >= OUT) {
    return vec4<f32>(0.0);
  }
  return dy[(row * OUT + first) / 4u];
}

fn x_quad(row: u32, first: u32) -> vec4<f32> {
  if (first >= IN) {
    return vec4<f32>(0.0);
  }
  return x[(row * IN + first) / 4u];
}

fn add_quad(row: u32, first: u32, value: vec4<f32>) {
  if (first < IN) {
    dw[(row * IN + first) / 4u] += value;
  }
}
