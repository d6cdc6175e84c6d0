// A dense weight [OUT, IN]: f16 in pairs, the even element in the low half of a word, rows one after the other.

@group(0) @binding(0) var<storage, read> weight: array<u32>;

// Eight consecutive weights of a row, from element 8 * octet on.
fn weight_octet(row: u32, octet: u32) -> array<vec4<f32>, 2> {
  let word = row * (IN / 2u) + octet * 4u;
  return array<vec4<f32>, 2>(
    vec4<f32>(unpack2x16float(weight[word]), unpack2x16float(weight[word + 1u])),
    vec4<f32>(unpack2x16float(weight[word + 2u]), unpack2x16float(weight[word + 3u])),
  );
}
