// RMSNorm into 8 bits, as the integer dot products of steps read it:
//   y[r, i] = x[r, i] / sqrt(mean_i(x[r, i]^2) + EPSILON) * weight[i]
//
// x              [rows, WIDTH]          f32
// weight         [WIDTH]                f16 in pairs
// output_blocks  [rows, WIDTH / 32, 2]  vec4<u32>: the words of common/activation-block.wgsl
// output_scales  [rows, WIDTH / 32]     vec2<f32>: scale, scale * sum(q)
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> output_blocks: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> output_scales: array<vec2<f32>>;

const BLOCKS = WIDTH / 32u;
// Blocks of an invocation, kept between the sum and the product, so that x is read once.
const OWN = (BLOCKS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var values: array<array<vec4<f32>, 8>, OWN>;
  var squares = 0.0;
  for (var k = 0u; k < OWN; k++) {
    let block = lane + k * WORKGROUP_SIZE;
    if (block < BLOCKS) {
      for (var i = 0u; i < 8u; i++) {
        values[k][i] = x[(workgroup.x * BLOCKS + block) * 8u + i];
        squares += dot(values[k][i], values[k][i]);
      }
    }
  }
  let mean = reduce_sum(vec4<f32>(squares, 0.0, 0.0, 0.0), lane).x / f32(WIDTH);
  let scale = inverseSqrt(mean + EPSILON);
  for (var k = 0u; k < OWN; k++) {
    let block = lane + k * WORKGROUP_SIZE;
    if (block < BLOCKS) {
      for (var i = 0u; i < 8u; i++) {
        let w = weight[block * 8u + i];
        values[k][i] *= scale * vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
      }
      let quantized = quantize_activations(values[k]);
      let w = quantized.words;
      let at = workgroup.x * BLOCKS + block;
      output_blocks[at * 2u] = vec4<u32>(w[0], w[1], w[2], w[3]);
      output_blocks[at * 2u + 1u] = vec4<u32>(w[4], w[5], w[6], w[7]);
      output_scales[at] = quantized.scale_and_sum;
    }
  }
}
