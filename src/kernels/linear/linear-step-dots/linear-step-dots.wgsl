// Matrix product of a step of a few rows, 2 to 8: y[r, n] = sum_i x[r, i] * w[n, i], with 4-bit weights and 8-bit
// activations, in integer dot products
//
// input_blocks  [rows, IN / 32, 2]  vec4<u32>: the words of common/activation-block.wgsl
// input_scales  [rows, IN / 32]     vec2<f32>: scale, scale * sum(q)
//
// Where the weight is and where y goes is the business of more modules, which say it in their headers:
//   common/weight-block.wgsl  load_block, block_product
//   output-*.wgsl             output_row, emit
//
// LANES invocations compute four outputs of STEP_ROWS rows: what is loaded of a weight is multiplied with all of them, and
// what is loaded of a row with four weights. Where there are more rows than registers allow, ROW_GROUPS such groups share the
// outputs, and find the weights in the cache that the first of them has loaded.
//
// Dispatch: tiles of outputs in x and y.

@group(0) @binding(3) var<storage, read> input_blocks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> input_scales: array<vec2<f32>>;

const OUTPUTS = 4u;
// Blocks that a lane loads at a time, of each output; CHUNKS times.
const CHUNKS = (BLOCKS + LANES * AT_ONCE - 1u) / (LANES * AT_ONCE);

// What a lane multiplies next, loaded a chunk before it is used.
fn load_chunk(first: u32, chunk: u32, lane: u32) -> array<WeightBlock, OUTPUTS * AT_ONCE> {
  var blocks: array<WeightBlock, OUTPUTS * AT_ONCE>;
  for (var i = 0u; i < AT_ONCE; i++) {
    let block = min((chunk * AT_ONCE + i) * LANES + lane % LANES, BLOCKS - 1u);
    for (var n = 0u; n < OUTPUTS; n++) {
      blocks[i * OUTPUTS + n] = load_block(min(output_row(first, n), OUT - 1u), block);
    }
  }
  return blocks;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup.y * workgroups.x + workgroup.x;
  let group = lane / LANES;
  let first = (index * (WORKGROUP_SIZE / LANES / ROW_GROUPS) + group / ROW_GROUPS) * OUTPUTS;
  let first_row = group % ROW_GROUPS * STEP_ROWS;
  var next = load_chunk(first, 0u, lane);
  var sums: array<array<f32, OUTPUTS>, STEP_ROWS>;
  for (var chunk = 0u; chunk < CHUNKS; chunk++) {
    let blocks = next;
    if (chunk + 1u < CHUNKS) {
      next = load_chunk(first, chunk + 1u, lane);
    }
    for (var i = 0u; i < AT_ONCE; i++) {
      let block = (chunk * AT_ONCE + i) * LANES + lane % LANES;
      if (BLOCKS % (LANES * AT_ONCE) == 0u || block < BLOCKS) {
        for (var r = 0u; r < STEP_ROWS; r++) {
          let at = (first_row + r) * BLOCKS + block;
          let low = input_blocks[at * 2u];
          let high = input_blocks[at * 2u + 1u];
          let scale_and_sum = input_scales[at];
          for (var n = 0u; n < OUTPUTS; n++) {
            sums[r][n] += block_product(blocks[i * OUTPUTS + n], low, high, scale_and_sum);
          }
        }
      }
    }
  }
  for (var r = 0u; r < STEP_ROWS; r++) {
    let total = sum_lanes(vec4<f32>(sums[r][0], sums[r][1], sums[r][2], sums[r][3]), lane);
    if (lane % LANES == 0u && first < OUT) {
      emit(first_row + r, first, total);
    }
  }
}
