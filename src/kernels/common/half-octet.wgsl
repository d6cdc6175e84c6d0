// Rounds eight elements to f16, in the pairs that unpacking 4-bit weights gives: (0, 4), (1, 5), (2, 6), (3, 7).

// Four elements, twice.
fn half_octet(low: vec4<f32>, high: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(
    pack2x16float(vec2<f32>(low.x, high.x)),
    pack2x16float(vec2<f32>(low.y, high.y)),
    pack2x16float(vec2<f32>(low.z, high.z)),
    pack2x16float(vec2<f32>(low.w, high.w)),
  );
}
