// The result in 8 bits.
//
// output_blocks  [rows, HEADS * HEAD_DIM / 32, 2]  vec4<u32>: the words of common/activation-block.wgsl
// output_scales  [rows, HEADS * HEAD_DIM / 32]     vec2<f32>: scale, scale * sum(q)

@group(0) @binding(3) var<storage, read_write> output_blocks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> output_scales: array<vec2<f32>>;

fn write_tile(row: u32, tile: u32, lane: u32) {
  for (var block = lane; block < TILE / 32u; block += WORKGROUP_SIZE) {
    var x: array<vec4<f32>, 8>;
    for (var i = 0u; i < 8u; i++) {
      x[i] = attended[block * 8u + i];
    }
    let quantized = quantize_activations(x);
    let w = quantized.words;
    let at = (row * HEADS * HEAD_DIM + tile * TILE) / 32u + block;
    output_blocks[at * 2u] = vec4<u32>(w[0], w[1], w[2], w[3]);
    output_blocks[at * 2u + 1u] = vec4<u32>(w[4], w[5], w[6], w[7]);
    output_scales[at] = quantized.scale_and_sum;
  }
}
