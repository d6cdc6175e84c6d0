// A 4-bit weight [OUT, IN] in groups of GROUP_SIZE along IN: w = scale * q + bias.
//
// weight  [OUT, IN / 8]           u32, eight q of 4 bits, the lowest element in the lowest bits
// scales  [OUT, IN / GROUP_SIZE]  f16 in pairs
// biases  [OUT, IN / GROUP_SIZE]  f16 in pairs

@group(0) @binding(0) var<storage, read> weight: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

// Eight consecutive weights of a row, from element 8 * octet on.
fn weight_octet(row: u32, octet: u32) -> array<vec4<f32>, 2> {
  let group = row * (IN / GROUP_SIZE) + octet / (GROUP_SIZE / 8u);
  let scale = unpack2x16float(scales[group / 2u])[group & 1u];
  let bias = unpack2x16float(biases[group / 2u])[group & 1u];
  let word = weight[row * (IN / 8u) + octet];
  let even = vec4<f32>(unpack4xU8(word & 0x0f0f0f0fu));
  let odd = vec4<f32>(unpack4xU8((word >> 4u) & 0x0f0f0f0fu));
  return array<vec4<f32>, 2>(
    vec4<f32>(even.x, odd.x, even.y, odd.y) * scale + bias,
    vec4<f32>(even.z, odd.z, even.w, odd.w) * scale + bias,
  );
}
