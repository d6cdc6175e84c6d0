// Activations of a few rows in f16, as linear-step-matrices loads them: in tiles of 16 rows x 16 elements.
//
// [rows / 16, padded WIDTH / 16, 16, 2]  vec4<u32>: octets of elements
//
// The product unpacks 4-bit weights 256 at a time: eight loads of 32, of which it takes the first octets, then the second
// ones, and so on. So the octets of a row lie in this order here, too. The pairs of an octet are (0, 4), (1, 5), (2, 6),
// (3, 7): the elements that masking a word of weights leaves in its two halves. A row is padded to a multiple of 256; what
// is behind its end must be zero.

// Four elements, twice.
fn half_octet(low: vec4<f32>, high: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(
    pack2x16float(vec2<f32>(low.x, high.x)),
    pack2x16float(vec2<f32>(low.y, high.y)),
    pack2x16float(vec2<f32>(low.z, high.z)),
    pack2x16float(vec2<f32>(low.w, high.w)),
  );
}

// Where octet number `octet` of a row lies; a row has `octets` of them.
fn half_tile_octet(row: u32, octet: u32, octets: u32) -> u32 {
  let at = octet / 32u * 32u + octet % 4u * 8u + octet % 32u / 4u;
  let tiles = (octets + 31u) / 32u * 16u;
  return (row / 16u * tiles + at / 2u) * 32u + row % 16u * 2u + at % 2u;
}
