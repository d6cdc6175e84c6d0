// What attention on subgroup matrices has in common, for heads of 128: the tiles that go through workgroup memory. What is
// multiplied is f16, sums are f32; scores are in powers of two.

// In 4 subgroups.
const WORKGROUP_SIZE = 128u;
const GROUP_HEADS = HEADS / KV_GROUPS;
// Keys of a tile.
const KEYS = 32u;
// The factor turns exp into exp2.
const LOG2_E = 1.4426950408889634;
// Lines of the tiles in words of 16 bytes: 128 f16, 32 f32 and 32 f16, and one more against bank conflicts.
const LINE = 17u;
const SCORE_LINE = 9u;
const WEIGHT_LINE = 5u;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Result = subgroup_matrix_result<f32, 16, 16>;

fn pack(low: vec4<f32>, high: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
}
