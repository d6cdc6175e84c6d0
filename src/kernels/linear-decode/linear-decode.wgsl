// Matrix product of a decode step: y[n] = sum_i x[i] * w[n, i], with 4-bit weights and 8-bit activations.
//
// weight  [OUT, IN / 8]           u32, eight q of 4 bits, the lowest element in the lowest bits
// scales  [OUT, IN / GROUP_SIZE]  f16 in pairs
// biases  [OUT, IN / GROUP_SIZE]  f16 in pairs;  w = scale * q + bias
//
// Where x comes from and where y goes is the business of two more modules, which say it in their headers:
//   input-*.wgsl   prepare_input, input_words, input_scale_and_sum, input_factor
//   output-*.wgsl  output_row, emit, finish
//
// Within a block of 32 inputs all arithmetic is in integers: sum(q * x) = scale_w * scale_x * (q . x) + bias_w * sum_x.
//
// Dispatch: x; LANES invocations compute ROWS rows at a time, a workgroup PASSES times as many as it has lanes for.

@group(0) @binding(0) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const BLOCKS = IN / 32u;
// Blocks that a lane loads at a time, of each row; CHUNKS times.
const CHUNKS = (BLOCKS + LANES * AT_ONCE - 1u) / (LANES * AT_ONCE);
const ROWS_PER_PASS = WORKGROUP_SIZE / LANES * ROWS;

// A block of one row as it is stored.
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

// What a lane multiplies next. Loaded a chunk before it is used, also over the end of a pass, so that the memory works
// while the last one is multiplied and reduced, and while the input is prepared.
fn load_chunk(first: u32, chunk: u32, lane: u32) -> array<WeightBlock, ROWS * AT_ONCE> {
  var blocks: array<WeightBlock, ROWS * AT_ONCE>;
  for (var i = 0u; i < AT_ONCE; i++) {
    // Rows behind the end repeat the last one and are not stored; blocks behind the end meet an input of zero.
    let block = min((chunk * AT_ONCE + i) * LANES + lane % LANES, BLOCKS - 1u);
    for (var r = 0u; r < ROWS; r++) {
      blocks[i * ROWS + r] = load_block(min(output_row(first, r), OUT - 1u), block);
    }
  }
  return blocks;
}

// The part of a row's sum that lies in one block.
fn block_product(block: WeightBlock, low: vec4<u32>, high: vec4<u32>, scale_and_sum: vec2<f32>) -> f32 {
  let even = block.words & vec4<u32>(0x0f0f0f0fu);
  let odd = (block.words >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
  let product = dot4I8Packed(even.x, low.x) + dot4I8Packed(odd.x, low.y)
    + dot4I8Packed(even.y, low.z) + dot4I8Packed(odd.y, low.w)
    + dot4I8Packed(even.z, high.x) + dot4I8Packed(odd.z, high.y)
    + dot4I8Packed(even.w, high.z) + dot4I8Packed(odd.w, high.w);
  let scale = select(unpack2x16float(block.scales).x, unpack2x16float(block.scales).y, block.half == 1u);
  let bias = select(unpack2x16float(block.biases).x, unpack2x16float(block.biases).y, block.half == 1u);
  return scale * (scale_and_sum.x * f32(product)) + bias * scale_and_sum.y;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup.y * workgroups.x + workgroup.x;
  let begin = index * PASSES * ROWS_PER_PASS + lane / LANES * ROWS;
  var next = load_chunk(begin, 0u, lane);
  prepare_input(lane);
  for (var pass_index = 0u; pass_index < PASSES; pass_index++) {
    let first = begin + pass_index * ROWS_PER_PASS;
    var sums = vec2<f32>(0.0);
    for (var chunk = 0u; chunk < CHUNKS; chunk++) {
      let blocks = next;
      if (chunk + 1u < CHUNKS) {
        next = load_chunk(first, chunk + 1u, lane);
      } else if (PASSES > 1u) {
        next = load_chunk(first + ROWS_PER_PASS, 0u, lane);
      }
      for (var i = 0u; i < AT_ONCE; i++) {
        let block = (chunk * AT_ONCE + i) * LANES + lane % LANES;
        let at = min(block, BLOCKS - 1u);
        let words = input_words(at);
        let scale_and_sum = select(vec2<f32>(0.0), input_scale_and_sum(at), block < BLOCKS);
        for (var r = 0u; r < ROWS; r++) {
          sums[r] += block_product(blocks[i * ROWS + r], words[0], words[1], scale_and_sum);
        }
      }
    }
    emit(first, input_factor() * sum_lanes(vec4<f32>(sums, 0.0, 0.0), lane).xy, lane);
  }
  finish(index, lane);
}
