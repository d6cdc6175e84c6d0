// The input is the RMSNorm of the residual stream, rounded to 8 bits: computed by every workgroup for itself, which
// costs less than a dispatch of its own and a round trip through memory.
//
// hidden       [IN]  f32
// norm_weight  [IN]  f16 in pairs

@group(0) @binding(3) var<storage, read> hidden: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> norm_weight: array<vec2<u32>>;

var<workgroup> normed_words: array<vec4<u32>, IN / 16u>;
var<workgroup> normed_scales: array<vec2<f32>, IN / 32u>;
var<workgroup> square_sums: array<f32, WORKGROUP_SIZE / LANES>;

// Blocks that fall to a lane.
const LANE_BLOCKS = (IN / 32u + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

fn prepare_input(lane: u32) {
  // Each lane keeps its blocks in registers between the sum of squares and the rounding.
  var x: array<array<vec4<f32>, 8>, LANE_BLOCKS>;
  var squares = 0.0;
  for (var k = 0u; k < LANE_BLOCKS; k++) {
    let block = lane + k * WORKGROUP_SIZE;
    if (block < IN / 32u) {
      for (var i = 0u; i < 8u; i++) {
        x[k][i] = hidden[block * 8u + i];
        squares += dot(x[k][i], x[k][i]);
      }
    }
  }
  squares = sum_lanes(vec4<f32>(squares, 0.0, 0.0, 0.0), lane).x;
  if (lane % LANES == 0u) {
    square_sums[lane / LANES] = squares;
  }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < WORKGROUP_SIZE / LANES; i++) {
    total += square_sums[i];
  }
  let scale = inverseSqrt(total / f32(IN) + EPSILON);

  for (var k = 0u; k < LANE_BLOCKS; k++) {
    let block = lane + k * WORKGROUP_SIZE;
    if (block < IN / 32u) {
      for (var i = 0u; i < 8u; i++) {
        let weights = norm_weight[block * 8u + i];
        x[k][i] *= scale * vec4<f32>(unpack2x16float(weights.x), unpack2x16float(weights.y));
      }
      let quantized = quantize_activations(x[k]);
      let w = quantized.words;
      normed_words[block * 2u] = vec4<u32>(w[0], w[1], w[2], w[3]);
      normed_words[block * 2u + 1u] = vec4<u32>(w[4], w[5], w[6], w[7]);
      normed_scales[block] = quantized.scale_and_sum;
    }
  }
  workgroupBarrier();
}

fn input_words(block: u32) -> array<vec4<u32>, 2> {
  return array<vec4<u32>, 2>(normed_words[block * 2u], normed_words[block * 2u + 1u]);
}

fn input_scale_and_sum(block: u32) -> vec2<f32> {
  return normed_scales[block];
}
