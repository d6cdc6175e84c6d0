// Activations in f16, as products on subgroup matrices load them: in tiles of 16 rows x 16 elements.
//
// [rows / 16, padded WIDTH / 16, 16, 2]  vec4<u32>: octets of elements (half-octet.wgsl)
//
// The products unpack 4-bit weights 256 at a time: eight loads of 32, of which they take the first octets, then the second
// ones, and so on. So the octets of a row lie in this order here, too. A row is padded to a multiple of 256; what
// is behind its end must be zero.

// Where octet number `octet` of a row lies; a row has `octets` of them.
fn half_tile_octet(row: u32, octet: u32, octets: u32) -> u32 {
  let at = octet / 32u * 32u + octet % 4u * 8u + octet % 32u / 4u;
  let tiles = (octets + 31u) / 32u * 16u;
  return (row / 16u * tiles + at / 2u) * 32u + row % 16u * 2u + at % 2u;
}
