// Matrix product of a decode step: y[n] = sum_i x[i] * w[n, i], with 4-bit weights and 8-bit activations, for GPUs.
//
// Where the weight is, where x comes from and where y goes is the business of more modules, which say it in their headers:
//   common/weight-block.wgsl  load_block, block_product
//   input-*.wgsl       prepare_input, input_words, input_scale_and_sum, input_factor
//   output-*.wgsl      output_row, emit, finish
//
// Dispatch: x; LANES invocations compute ROWS rows at a time, a workgroup PASSES times as many as it has lanes for.

// Blocks that a lane loads at a time, of each row; CHUNKS times.
const CHUNKS = (BLOCKS + LANES * AT_ONCE - 1u) / (LANES * AT_ONCE);
const ROWS_PER_PASS = WORKGROUP_SIZE / LANES * ROWS;

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
