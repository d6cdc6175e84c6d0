// A 4-bit weight (layout: common/weight-q4.wgsl) in units of 16 elements, and both factors' octets as f16 in pairs.
// The pairs of an octet are (0, 4), (1, 5), (2, 6), (3, 7): the elements that masking a word leaves in its two halves.
// The order along the inputs does not matter to a product, as long as x has the same.

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

// The bits 0x6400 | q are the f16 number 1024 + q, and 0x6400 | 16 q is 1024 + 16 q.
fn quantized_octet(word: u32, scale: vec2<f16>, bias: vec2<f16>) -> vec4<u32> {
  let high = word >> 8u;
  let q0 = bitcast<vec2<f16>>((word & 0x000f000fu) | 0x64006400u) - vec2<f16>(1024.0h);
  let q1 = fma(bitcast<vec2<f16>>((word & 0x00f000f0u) | 0x64006400u), vec2<f16>(0.0625h), vec2<f16>(-64.0h));
  let q2 = bitcast<vec2<f16>>((high & 0x000f000fu) | 0x64006400u) - vec2<f16>(1024.0h);
  let q3 = fma(bitcast<vec2<f16>>((high & 0x00f000f0u) | 0x64006400u), vec2<f16>(0.0625h), vec2<f16>(-64.0h));
  return vec4<u32>(
    bitcast<u32>(fma(q0, scale, bias)),
    bitcast<u32>(fma(q1, scale, bias)),
    bitcast<u32>(fma(q2, scale, bias)),
    bitcast<u32>(fma(q3, scale, bias)),
  );
}

fn unit_octets(unit: WeightUnit) -> array<vec4<u32>, UNIT_OCTETS> {
  let scale = vec2<f16>(bitcast<vec2<f16>>(unit.scale)[unit.odd]);
  let bias = vec2<f16>(bitcast<vec2<f16>>(unit.bias)[unit.odd]);
  return array<vec4<u32>, UNIT_OCTETS>(
    quantized_octet(unit.words.x, scale, bias),
    quantized_octet(unit.words.y, scale, bias),
  );
}

fn half_octet(low: vec4<f32>, high: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(
    pack2x16float(vec2<f32>(low.x, high.x)),
    pack2x16float(vec2<f32>(low.y, high.y)),
    pack2x16float(vec2<f32>(low.z, high.z)),
    pack2x16float(vec2<f32>(low.w, high.w)),
  );
}
