// Matrix product of a decode step: y[n] = sum_i x[i] * w[n, i], with 4-bit weights and 8-bit activations.
//
// weight  [OUT, IN / 8]           u32, eight q of 4 bits, the lowest element in the lowest bits
// scales  [OUT, IN / GROUP_SIZE]  f16 in pairs
// biases  [OUT, IN / GROUP_SIZE]  f16 in pairs;  w = scale * q + bias
//
// Where x comes from and where y goes is the business of two more modules, which say it in their headers:
//   input-*.wgsl   prepare_input, input_words, input_scale_and_sum
//   output-*.wgsl  output_rows, emit, finish
//
// Within a block of 32 inputs all arithmetic is in integers: sum(q * x) = scale_w * scale_x * (q . x) + bias_w * sum_x.
//
// Dispatch: x; LANES invocations compute four rows at a time, a workgroup PASSES times as many as it has lanes for.

@group(0) @binding(0) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const BLOCKS = IN / 32u;
const ROWS_PER_PASS = WORKGROUP_SIZE / LANES * 4u;

// The part of row n's sum that lies in one block.
fn block_product(n: u32, block: u32, low: vec4<u32>, high: vec4<u32>, scale_and_sum: vec2<f32>) -> f32 {
  let words = weight[n * BLOCKS + block];
  let even = words & vec4<u32>(0x0f0f0f0fu);
  let odd = (words >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
  let product = dot4I8Packed(even.x, low.x) + dot4I8Packed(odd.x, low.y)
    + dot4I8Packed(even.y, low.z) + dot4I8Packed(odd.y, low.w)
    + dot4I8Packed(even.z, high.x) + dot4I8Packed(odd.z, high.y)
    + dot4I8Packed(even.w, high.z) + dot4I8Packed(odd.w, high.w);
  let group = n * (IN / GROUP_SIZE) + block / (GROUP_SIZE / 32u);
  let scale = unpack2x16float(scales[group / 2u])[group & 1u];
  let bias = unpack2x16float(biases[group / 2u])[group & 1u];
  return scale * (scale_and_sum.x * f32(product)) + bias * scale_and_sum.y;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  prepare_input(lane);
  let index = workgroup.y * workgroups.x + workgroup.x;
  for (var pass_index = 0u; pass_index < PASSES; pass_index++) {
    let first = (index * PASSES + pass_index) * ROWS_PER_PASS + lane / LANES * 4u;
    // Rows behind the end repeat the last one and are not stored.
    let rows = min(output_rows(first), vec4<u32>(OUT - 1u));
    var sums = vec4<f32>(0.0);
    for (var block = lane % LANES; block < BLOCKS; block += LANES) {
      let x = input_words(block);
      let scale_and_sum = input_scale_and_sum(block);
      sums += vec4<f32>(
        block_product(rows.x, block, x[0], x[1], scale_and_sum),
        block_product(rows.y, block, x[0], x[1], scale_and_sum),
        block_product(rows.z, block, x[0], x[1], scale_and_sum),
        block_product(rows.w, block, x[0], x[1], scale_and_sum),
      );
    }
    emit(first, pass_index, sum_lanes(sums, lane), lane);
  }
  finish(index, lane);
}
