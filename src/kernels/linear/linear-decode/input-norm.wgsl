// The input is the RMSNorm of the residual stream, rounded to 8 bits: computed by every workgroup for itself, which
// costs less than a dispatch of its own and a round trip through memory.
//
// What is rounded is hidden * norm_weight; the factor of the norm, one for all, multiplies the sums of products at the
// end. So nothing has to wait for the sum of squares.
//
// hidden       [IN]  f32
// norm_weight  [IN]  f16 in pairs

@group(0) @binding(3) var<storage, read> hidden: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> norm_weight: array<vec2<u32>>;

var<workgroup> weighted_words: array<vec4<u32>, IN / 16u>;
var<workgroup> weighted_scales: array<vec2<f32>, IN / 32u>;
var<workgroup> square_sums: array<f32, WORKGROUP_SIZE / LANES>;

fn prepare_input(lane: u32) {
  let squares = sum_lanes(vec4<f32>(round_input(lane), 0.0, 0.0, 0.0), lane).x;
  if (lane % LANES == 0u) {
    square_sums[lane / LANES] = squares;
  }
  workgroupBarrier();
}

fn input_words(block: u32) -> array<vec4<u32>, 2> {
  return array<vec4<u32>, 2>(weighted_words[block * 2u], weighted_words[block * 2u + 1u]);
}

fn input_scale_and_sum(block: u32) -> vec2<f32> {
  return weighted_scales[block];
}

fn input_factor() -> f32 {
  var total = 0.0;
  for (var i = 0u; i < WORKGROUP_SIZE / LANES; i++) {
    total += square_sums[i];
  }
  return inverseSqrt(total / f32(IN) + EPSILON);
}
