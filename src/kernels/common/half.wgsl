// f16 in integer arithmetic: what WGSL's own conversions round to, and whether they keep subnormal numbers, is up
// to the implementation, and a checkpoint must not depend on the adapter that wrote it.

const HALF_LARGEST = 65504.0;

// The value of 16 bits, which must not be those of an infinity or NaN.
fn half_to_float(half: u32) -> f32 {
  let magnitude = half & 0x7fffu;
  // Below 2^-14 f16 counts in steps of 2^-24; from there on only the exponent's bias differs from f32's.
  let subnormal = bitcast<u32>(f32(magnitude) * 0x1p-24f);
  let bits = select((magnitude << 13u) + 0x38000000u, subnormal, magnitude < 0x400u);
  return bitcast<f32>(bits | ((half & 0x8000u) << 16u));
}

// The bits of the nearest f16, ties to even; +-65504 beyond the largest.
fn float_to_half(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude >= 0x477fe000u) {
    return sign | 0x7bffu;
  }
  if (magnitude >= 0x38800000u) {
    let rounded = magnitude + 0xfffu + ((magnitude >> 13u) & 1u);
    return sign | ((rounded - 0x38000000u) >> 13u);
  }
  let exponent = magnitude >> 23u;
  if (exponent < 102u) {
    return sign;
  }
  let shift = 126u - exponent;
  let significand = (magnitude & 0x7fffffu) | 0x800000u;
  return sign | ((significand + (1u << (shift - 1u)) - 1u + ((significand >> shift) & 1u)) >> shift);
}
