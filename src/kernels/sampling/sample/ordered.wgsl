// What the looks at a row of logits share.

const NO_ID = 0xffffffffu;
const EXPONENT = 0x7f800000u;
const LOWEST = -3.4e38;

// Floats as integers of the same order, and back.
fn ordered(value: f32) -> u32 {
  let bits = select(bitcast<u32>(value), 0u, value == 0.0);
  return bits ^ select(0x80000000u, 0xffffffffu, (bits >> 31u) == 1u);
}

fn unordered(key: u32) -> f32 {
  return bitcast<f32>(key ^ select(0xffffffffu, 0x80000000u, (key >> 31u) == 1u));
}
