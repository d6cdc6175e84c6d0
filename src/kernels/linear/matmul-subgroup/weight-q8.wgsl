// An 8-bit weight (layout: common/weight-q8.wgsl) in units of 8 elements, and both factors' octets as f16 in pairs.
// The pairs of an octet are (0, 2), (1, 3), (4, 6), (5, 7): the elements that masking a word leaves in its two halves.
// The order along the inputs does not matter to a product, as long as x has the same.

@group(0) @binding(0) var<storage, read> weight: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const UNIT_OCTETS = 1u;

struct WeightUnit {
  words: vec2<u32>,
  // Pairs of f16 that hold the scale and the bias of the group, in the half that `odd` tells.
  scale: u32,
  bias: u32,
  odd: u32,
}

fn weight_unit(output: u32, unit: u32) -> WeightUnit {
  let group = output * (IN / GROUP_SIZE) + unit / (GROUP_SIZE / 8u);
  return WeightUnit(weight[output * (IN / 8u) + unit], scales[group / 2u], biases[group / 2u], group & 1u);
}

// The bits 0x6400 | q are the f16 number 1024 + q.
fn quantized_pair(bits: u32, scale: vec2<f16>, bias: vec2<f16>) -> u32 {
  let q = bitcast<vec2<f16>>((bits & 0x00ff00ffu) | 0x64006400u) - vec2<f16>(1024.0h);
  return bitcast<u32>(fma(q, scale, bias));
}

fn unit_octets(unit: WeightUnit) -> array<vec4<u32>, UNIT_OCTETS> {
  let scale = vec2<f16>(bitcast<vec2<f16>>(unit.scale)[unit.odd]);
  let bias = vec2<f16>(bitcast<vec2<f16>>(unit.bias)[unit.odd]);
  return array<vec4<u32>, UNIT_OCTETS>(vec4<u32>(
    quantized_pair(unit.words.x, scale, bias),
    quantized_pair(unit.words.x >> 8u, scale, bias),
    quantized_pair(unit.words.y, scale, bias),
    quantized_pair(unit.words.y >> 8u, scale, bias),
  ));
}

fn half_octet(low: vec4<f32>, high: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(
    pack2x16float(low.xz),
    pack2x16float(low.yw),
    pack2x16float(high.xz),
    pack2x16float(high.yw),
  );
}
