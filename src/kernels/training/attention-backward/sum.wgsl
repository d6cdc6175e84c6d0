// The last part of the backward pass of attention: adds up the splits of keys.wgsl, always in the same order, and puts
// the gradients where their keys and values came from.
//
// sequence_length  [1]                                               u32
// parts            [SPLITS, PREFIX + MAX_ROWS, 2, KV_GROUPS * HEAD_DIM]  f32, of keys.wgsl
// dprefix          [PREFIX, PREFIX_STRIDE]                           f32, added to, in the layout of prefix
// dqkv             [MAX_ROWS, (HEADS + 2 KV_GROUPS) * HEAD_DIM]      f32, of which keys and values are written
//
// Dispatch: one workgroup for each row of keys and values in x.

@group(0) @binding(0) var<storage, read> sequence_length: array<u32>;
@group(0) @binding(1) var<storage, read> parts: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> dprefix: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dqkv: array<vec4<f32>>;

// Of keys and values of all groups, by fours.
const ROW = 2u * KV_GROUPS * (HEAD_DIM / 4u);

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c = workgroup.x;
  let rows = min(sequence_length[0], MAX_ROWS);
  if (c >= PREFIX + rows) {
    return;
  }
  for (var i = lane; i < ROW; i += WORKGROUP_SIZE) {
    var sum = vec4<f32>();
    for (var split = 0u; split < SPLITS; split++) {
      sum += parts[(split * (PREFIX + MAX_ROWS) + c) * ROW + i];
    }
    if (c < PREFIX) {
      dprefix[c * (PREFIX_STRIDE / 4u) + i] += sum;
    } else {
      dqkv[(c - PREFIX) * ((HEADS + 2u * KV_GROUPS) * (HEAD_DIM / 4u)) + HEADS * (HEAD_DIM / 4u) + i] = sum;
    }
  }
}
