// An 8-bit weight (layout: common/weight-q8.wgsl) for matmul-int8.wgsl: flipping the highest bit of an unsigned q gives
// the signed q - 128.

@group(0) @binding(0) var<storage, read> weight: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const WORD_ELEMENTS = 4u;
const UNIT_WORDS = 1u;
const ZERO_POINT = 128.0;

fn unit_word(words: vec4<u32>, part: u32) -> vec4<u32> {
  return words ^ vec4<u32>(0x80808080u);
}
