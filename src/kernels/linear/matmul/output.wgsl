// Where the sums of a product go. Those behind the last row or output are left out.
//
// bias  [OUT_STRIDE]        f16 in pairs, read where HAS_BIAS
// y     [rows, OUT_STRIDE]  f32, added to where ACCUMULATE (the residual), else overwritten

@group(0) @binding(4) var<storage, read> bias: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn store(row: u32, output: u32, sum: f32) {
  if (row >= MAX_ROWS || output >= OUT) {
    return;
  }
  let column = OUT_OFFSET + output;
  let at = row * OUT_STRIDE + column;
  var value = sum;
  if (HAS_BIAS) {
    value += unpack2x16float(bias[column / 2u])[column & 1u];
  }
  if (ACCUMULATE) {
    value += y[at];
  }
  y[at] = value;
}
