// Four consecutive elements of a row of dy, x and dw, where OUT and IN may be any numbers: elements behind a row's end
// are zero, and are not added to.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> dw: array<f32>;

fn dy_quad(row: u32, first: u32) -> vec4<f32> {
  var quad = vec4<f32>(0.0);
  for (var i = 0u; i < 4u; i++) {
    if (first + i < OUT) {
      quad[i] = dy[row * OUT + first + i];
    }
  }
  return quad;
}

fn x_quad(row: u32, first: u32) -> vec4<f32> {
  var quad = vec4<f32>(0.0);
  for (var i = 0u; i < 4u; i++) {
    if (first + i < IN) {
      quad[i] = x[row * IN + first + i];
    }
  }
  return quad;
}

fn add_quad(row: u32, first: u32, value: vec4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    if (first + i < IN) {
      dw[row * IN + first + i] += value[i];
    }
  }
}
