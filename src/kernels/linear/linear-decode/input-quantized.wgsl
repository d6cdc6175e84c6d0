// The input was rounded to 8 bits by the kernel before.
//
// input_blocks  [IN / 32, 2]  vec4<u32>: the words of common/activation-block.wgsl
// input_scales  [IN / 32]     vec2<f32>: scale, scale * sum(q)

@group(0) @binding(3) var<storage, read> input_blocks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> input_scales: array<vec2<f32>>;

fn prepare_input(lane: u32) {}

fn input_words(block: u32) -> array<vec4<u32>, 2> {
  return array<vec4<u32>, 2>(input_blocks[block * 2u], input_blocks[block * 2u + 1u]);
}

fn input_scale_and_sum(block: u32) -> vec2<f32> {
  return input_scales[block];
}

fn input_factor() -> f32 {
  return 1.0;
}
