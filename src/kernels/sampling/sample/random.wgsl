// Random numbers without state: a hash of what they are for.

// Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020: pcg3d.
fn pcg3d(input: vec3<u32>) -> vec3<u32> {
  var v = input * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v ^= v >> vec3<u32>(16u);
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  return v;
}

// The exponentially distributed number -ln(1 - u) for the uniform number u = (bits + 0.5) / 2^32.
// WGSL's log() may be off by 2^-21 near 1, where small results, which are those that matter, come from;
// below u = 1/2 the series -ln(1 - u) = 2 artanh(u / (2 - u)) has full relative precision.
fn exponential(bits: u32) -> f32 {
  if (bits >= 0x80000000u) {
    return -log((f32(~bits) + 0.5) * 0x1p-32f);
  }
  let u = (f32(bits) + 0.5) * 0x1p-32f;
  let z = u / (2.0 - u);
  let z2 = z * z;
  var series = 1.0 / 13.0;
  series = series * z2 + 1.0 / 11.0;
  series = series * z2 + 1.0 / 9.0;
  series = series * z2 + 1.0 / 7.0;
  series = series * z2 + 1.0 / 5.0;
  series = series * z2 + 1.0 / 3.0;
  series = series * z2 + 1.0;
  return 2.0 * z * series;
}
