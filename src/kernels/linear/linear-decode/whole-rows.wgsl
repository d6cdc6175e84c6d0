// The same product as linear-decode.wgsl, of the same modules, for software adapters: an invocation computes ROWS rows
// alone (LANES is 1), and loads a block when it needs it. What is shared and loaded ahead costs a CPU more than it saves.
//
// Dispatch: x; ROWS rows for each invocation.

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup.y * workgroups.x + workgroup.x;
  let first = (index * WORKGROUP_SIZE + lane) * ROWS;
  prepare_input(lane);
  var sums = vec2<f32>(0.0);
  for (var block = 0u; block < BLOCKS; block++) {
    let words = input_words(block);
    let scale_and_sum = input_scale_and_sum(block);
    for (var r = 0u; r < ROWS; r++) {
      // Rows behind the end repeat the last one and are not stored.
      let row = min(output_row(first, r), OUT - 1u);
      sums[r] += block_product(load_block(row, block), words[0], words[1], scale_and_sum);
    }
  }
  emit(first, input_factor() * sums, lane);
  finish(index, lane);
}
