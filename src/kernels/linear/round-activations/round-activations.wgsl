// Rounds activations to 8 bits for linear-decode, in blocks of 32: x = scale * q with scale = max |x| / 127 and
// q = round(x / scale).
//
// x              [BLOCKS, 32]  f32
// output_blocks  [BLOCKS, 2]   vec4<u32>: the words of common/activation-block.wgsl
// output_scales  [BLOCKS]      vec2<f32>: scale, scale * sum(q)
//
// Dispatch: an invocation for each block, in x.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> output_blocks: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> output_scales: array<vec2<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let block = invocation.x;
  if (block >= BLOCKS) {
    return;
  }
  var elements: array<vec4<f32>, 8>;
  for (var i = 0u; i < 8u; i++) {
    elements[i] = x[block * 8u + i];
  }
  let quantized = quantize_activations(elements);
  let w = quantized.words;
  output_blocks[block * 2u] = vec4<u32>(w[0], w[1], w[2], w[3]);
  output_blocks[block * 2u + 1u] = vec4<u32>(w[4], w[5], w[6], w[7]);
  output_scales[block] = quantized.scale_and_sum;
}
