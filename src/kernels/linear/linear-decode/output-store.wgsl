// The output is stored, or added to the residual stream where ACCUMULATE.
//
// y  [OUT]  f32

@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn output_row(first: u32, r: u32) -> u32 {
  return first + r;
}

fn emit(first: u32, sums: vec2<f32>, lane: u32) {
  let part = lane % LANES;
  let n = first + part;
  if (part < ROWS && n < OUT) {
    y[n] = sums[part] + select(0.0, y[n], ACCUMULATE);
  }
}

fn finish(index: u32, lane: u32) {}
