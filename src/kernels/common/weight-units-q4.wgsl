// A 4-bit weight (layout: common/weight-q4.wgsl) in units of 32 elements, unpacked by quantized-octet.wgsl to octets of f16 in the
// order of common/half-tiles.wgsl.

@group(0) @binding(0) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

struct WeightUnit {
  words: vec4<u32>,
  // Of its group.
  scale_and_bias: vec2<u32>,
  // Whether the scale and the bias are the upper halves of their words.
  odd: u32,
}

fn weight_unit(output: u32, unit: u32) -> WeightUnit {
  let group = output * (IN / GROUP_SIZE) + unit / (GROUP_SIZE / 32u);
  return WeightUnit(
    weight[output * (IN / 32u) + unit],
    vec2<u32>(scales[group / 2u], biases[group / 2u]),
    group & 1u,
  );
}

// Octet number j of a unit.
fn unit_octet(unit: WeightUnit, j: u32) -> vec4<u32> {
  let scale = vec2<f16>(bitcast<vec2<f16>>(unit.scale_and_bias.x)[unit.odd]);
  let bias = vec2<f16>(bitcast<vec2<f16>>(unit.scale_and_bias.y)[unit.odd]);
  return quantized_octet(unit.words[j], scale, bias);
}
