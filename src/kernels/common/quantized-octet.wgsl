// Unpacks eight 4-bit elements of a group to f16, in pairs: (0, 4), (1, 5), (2, 6), (3, 7). Needs f16.

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
