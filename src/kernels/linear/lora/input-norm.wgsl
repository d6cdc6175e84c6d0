// x is the residual stream, and its RMSNorm goes into the product: the weight of the norm here, its factor, one for a row, behind
// the sums.
//
// norm_weight  [IN]  f16 in pairs

@group(0) @binding(6) var<storage, read> norm_weight: array<vec2<u32>>;

fn weigh(value: vec4<f32>, four: u32) -> vec4<f32> {
  let weights = norm_weight[min(four, IN / 4u - 1u)];
  return value * vec4<f32>(unpack2x16float(weights.x), unpack2x16float(weights.y));
}
