// The first part of the backward pass of attention: delta = sum_d dy[d] y[d] for each row and head, which is what the
// softmax takes off the gradient of every weight.
//
// sequence_length  [1]                         u32
// y,dy             [MAX_ROWS, HEADS * HEAD_DIM]  f32
// delta            [MAX_ROWS, HEADS]             f32
//
// Dispatch: WORKGROUP_SIZE pairs of a row and a head in x.

@group(0) @binding(0) var<storage, read> sequence_length: array<u32>;
@group(0) @binding(1) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> delta: array<f32>;

const QUADS = HEAD_DIM / 4u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let line = invocation.x;
  if (line >= min(sequence_length[0], MAX_ROWS) * HEADS) {
    return;
  }
  var sum = 0.0;
  for (var d = 0u; d < QUADS; d++) {
    sum += dot(dy[line * QUADS + d], y[line * QUADS + d]);
  }
  delta[line] = sum;
}
