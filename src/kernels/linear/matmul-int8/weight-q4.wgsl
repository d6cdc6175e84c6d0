// A 4-bit weight (layout: common/weight-q4.wgsl) for matmul-int8.wgsl: a word gives the q of its even and of its odd
// elements, as two words of four.

@group(0) @binding(0) var<storage, read> weight: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const WORD_ELEMENTS = 8u;
const UNIT_WORDS = 2u;
const ZERO_POINT = 0.0;

fn unit_word(words: vec4<u32>, part: u32) -> vec4<u32> {
  return (words >> vec4<u32>(4u * part)) & vec4<u32>(0x0f0f0f0fu);
}
