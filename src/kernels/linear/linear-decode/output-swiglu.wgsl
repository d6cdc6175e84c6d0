// The output is silu(gate) * up, rounded to 8 bits for the next matrix product. Two rows are a gate and its up; a
// workgroup makes one block of 32.
//
// output_blocks  [OUT / 64, 2]  vec4<u32>: the words of common/activation-block.wgsl
// output_scales  [OUT / 64]     vec2<f32>: scale, scale * sum(q)

@group(0) @binding(5) var<storage, read_write> output_blocks: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> output_scales: array<vec2<f32>>;

var<workgroup> activated: array<f32, 32>;

// ROWS is 2: a gate and its up.
fn output_row(first: u32, r: u32) -> u32 {
  return (first + r * OUT) / 2u;
}

fn emit(first: u32, sums: vec2<f32>, lane: u32) {
  if (lane % LANES == 0u) {
    activated[first / 2u % 32u] = sums.x / (1.0 + exp(-sums.x)) * sums.y;
  }
}

fn finish(index: u32, lane: u32) {
  workgroupBarrier();
  if (lane == 0u) {
    var x: array<vec4<f32>, 8>;
    for (var i = 0u; i < 8u; i++) {
      x[i] = vec4<f32>(activated[4u * i], activated[4u * i + 1u], activated[4u * i + 2u], activated[4u * i + 3u]);
    }
    let quantized = quantize_activations(x);
    let w = quantized.words;
    output_blocks[index * 2u] = vec4<u32>(w[0], w[1], w[2], w[3]);
    output_blocks[index * 2u + 1u] = vec4<u32>(w[4], w[5], w[6], w[7]);
    output_scales[index] = quantized.scale_and_sum;
  }
}
