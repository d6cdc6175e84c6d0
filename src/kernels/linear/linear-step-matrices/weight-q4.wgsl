// A 4-bit weight (layout: common/weight-q4.wgsl) in units of 32 elements, unpacked to octets of f16 in the order of
// common/half-tiles.wgsl.

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

// Octet number j of a unit.
fn unit_octet(unit: WeightUnit, j: u32) -> vec4<u32> {
  let scale = vec2<f16>(bitcast<vec2<f16>>(unit.scale_and_bias.x)[unit.odd]);
  let bias = vec2<f16>(bitcast<vec2<f16>>(unit.scale_and_bias.y)[unit.odd]);
  return quantized_octet(unit.words[j], scale, bias);
}
