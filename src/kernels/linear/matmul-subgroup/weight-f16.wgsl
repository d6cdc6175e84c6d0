// A dense weight (layout: common/weight-f16.wgsl) in units of 8 elements, and both factors' octets as f16 in pairs.

@group(0) @binding(0) var<storage, read> weight: array<vec4<u32>>;

const UNIT_OCTETS = 1u;

struct WeightUnit {
  words: vec4<u32>,
}

fn weight_unit(output: u32, unit: u32) -> WeightUnit {
  return WeightUnit(weight[output * (IN / 8u) + unit]);
}

fn unit_octets(unit: WeightUnit) -> array<vec4<u32>, UNIT_OCTETS> {
  return array<vec4<u32>, UNIT_OCTETS>(unit.words);
}

fn half_octet(low: vec4<f32>, high: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(
    pack2x16float(low.xy),
    pack2x16float(low.zw),
    pack2x16float(high.xy),
    pack2x16float(high.zw),
  );
}
