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
// Dispatch: x; LANES invocations compute two rows at a time, a workgroup PASSES times as many as it has lanes for.

@group(0) @binding(0) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const BLOCKS = IN / 32u;
// Blocks that fall to a lane.
const STEPS = (BLOCKS + LANES - 1u) / LANES;
const ROWS_PER_PASS = WORKGROUP_SIZE / LANES * 2u;

// A block of one row as it is stored. Loaded a step before it is used, so that the memory works while this one is
// multiplied.
struct WeightBlock {
  words: vec4<u32>,
  scales: u32,
  biases: u32,
  half: u32,
}

fn load_block(n: u32, block: u32) -> WeightBlock {
  let group = n * (IN / GROUP_SIZE) + block / (GROUP_SIZE / 32u);
  return WeightBlock(weight[n * BLOCKS + block], scales[group / 2u], biases[group / 2u], group & 1u);
}

// The part of a row's sum that lies in one block.
fn block_product(block: WeightBlock, low: vec4<u32>, high: vec4<u32>, scale_and_sum: vec2<f32>) -> f32 {
  let even = block.words & vec4<u32>(0x0f0f0f0fu);
  let odd = (block.words >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
  let product = dot4I8Packed(even.x, low.x) + dot4I8Packed(odd.x, low.y)
    + dot4I8Packed(even.y, low.z) + dot4I8Packed(odd.y, low.w)
    + dot4I8Packed(even.z, high.x) + dot4I8Packed(odd.z, high.y)
    + dot4I8Packed(even.w, high.z) + dot4I8Packed(odd.w, high.w);
  let scale = unpack2x16float(block.scales)[block.half];
  let bias = unpack2x16float(block.biases)[block.half];
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
    let first = (index * PASSES + pass_index) * ROWS_PER_PASS + lane / LANES * 2u;
    // Rows behind the end repeat the last one and are not stored.
    let rows = min(output_rows(first), vec2<u32>(OUT - 1u));
    // Blocks behind the end repeat the last one, with an input of zero.
    let lane_block = lane % LANES;
    var next_x = load_block(rows.x, min(lane_block, BLOCKS - 1u));
    var next_y = load_block(rows.y, min(lane_block, BLOCKS - 1u));
    var sums = vec2<f32>(0.0);
    for (var step = 0u; step < STEPS; step++) {
      let block = step * LANES + lane_block;
      let at = min(block, BLOCKS - 1u);
      let block_x = next_x;
      let block_y = next_y;
      let ahead = min(block + LANES, BLOCKS - 1u);
      next_x = load_block(rows.x, ahead);
      next_y = load_block(rows.y, ahead);
      let words = input_words(at);
      let scale_and_sum = select(vec2<f32>(0.0), input_scale_and_sum(at), block < BLOCKS);
      sums += vec2<f32>(
        block_product(block_x, words[0], words[1], scale_and_sum),
        block_product(block_y, words[0], words[1], scale_and_sum),
      );
    }
    emit(first, sum_lanes(vec4<f32>(sums, 0.0, 0.0), lane).xy, lane);
  }
  finish(index, lane);
}
