// A block of 32 inputs of a 4-bit weight, and its product with 8-bit activations, in integers:
//   sum(w * x) = scale_w * scale_x * (q . x) + bias_w * sum_x
//
// weight  [OUT, IN / 8]           u32, eight q of 4 bits, the lowest element in the lowest bits
// scales  [OUT, IN / GROUP_SIZE]  f16 in pairs
// biases  [OUT, IN / GROUP_SIZE]  f16 in pairs;  w = scale * q + bias

@group(0) @binding(0) var<storage, read> weight: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> biases: array<u32>;

const BLOCKS = IN / 32u;

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
