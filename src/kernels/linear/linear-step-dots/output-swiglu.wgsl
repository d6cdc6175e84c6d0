// The output is silu(gate) * up. Four outputs are two gates and their ups.
//
// y  [rows, OUT / 2]  f32

@group(0) @binding(5) var<storage, read_write> y: array<vec2<f32>>;

fn output_row(first: u32, n: u32) -> u32 {
  return first / 2u + n % 2u + select(0u, OUT / 2u, n >= 2u);
}

fn emit(row: u32, first: u32, total: vec4<f32>) {
  y[(row * OUT + first) / 4u] = total.xy / (vec2<f32>(1.0) + exp(-total.xy)) * total.zw;
}
