// The output is stored, or added to the residual stream where ACCUMULATE.
//
// y  [rows, OUT]  f32

@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

fn output_row(first: u32, n: u32) -> u32 {
  return first + n;
}

fn emit(row: u32, first: u32, total: vec4<f32>) {
  let at = (row * OUT + first) / 4u;
  y[at] = total + select(vec4<f32>(), y[at], ACCUMULATE);
}
