// A 4-bit weight (layout: common/weight-q4.wgsl) in units of 16 elements. Both factors' octets are f16 in pairs, those of
// quantized-octet.wgsl and half-octet.wgsl: the elements that masking a word leaves in its two halves. The order along the
// inputs does not matter to a product, as long as x has the same.

@group(0) @binding(0) var<storage, read> weight: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const UNIT_OCTETS = 2u;

struct WeightUnit {
  words: vec2<u32>,
  // Pairs of f16 that hold the scale and the bias of the group, in the half that `odd` tells.
  scale: u32,
  bias: u32,
  odd: u32,
}

fn weight_unit(output: u32, unit: u32) -> WeightUnit {
  let group = output * (IN / GROUP_SIZE) + unit / (GROUP_SIZE / 16u);
  return WeightUnit(weight[output * (IN / 16u) + unit], scales[group / 2u], biases[group / 2u], group & 1u);
}

fn unit_octets(unit: WeightUnit) -> array<vec4<u32>, UNIT_OCTETS> {
  let scale = vec2<f16>(bitcast<vec2<f16>>(unit.scale)[unit.odd]);
  let bias = vec2<f16>(bitcast<vec2<f16>>(unit.bias)[unit.odd]);
  return array<vec4<u32>, UNIT_OCTETS>(
    quantized_octet(unit.words.x, scale, bias),
    quantized_octet(unit.words.y, scale, bias),
  );
}
