// Rounds hidden * norm_weight to 8 bits for input-norm.wgsl, a block of 32 by each invocation: for any adapter.

// Gives the sum of squares of what the lane read of the residual stream.
fn round_input(lane: u32) -> f32 {
  var squares = 0.0;
  for (var block = lane; block < IN / 32u; block += WORKGROUP_SIZE) {
    var x: array<vec4<f32>, 8>;
    for (var i = 0u; i < 8u; i++) {
      let value = hidden[block * 8u + i];
      let weights = norm_weight[block * 8u + i];
      squares += dot(value, value);
      x[i] = value * vec4<f32>(unpack2x16float(weights.x), unpack2x16float(weights.y));
    }
    let rounded = quantize_activations(x);
    let w = rounded.words;
    weighted_words[block * 2u] = vec4<u32>(w[0], w[1], w[2], w[3]);
    weighted_words[block * 2u + 1u] = vec4<u32>(w[4], w[5], w[6], w[7]);
    weighted_scales[block] = rounded.scale_and_sum;
  }
  return squares;
}
