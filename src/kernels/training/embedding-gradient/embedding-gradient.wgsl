// Gradient of an embedding table, added to what is there: the rows of dx that belong to a token, in the order given.
//   dw[token_g, i] += scale * sum_{first_g <= p < first_g + count_g} dx[order[p], i]
//
// dx      [any, WIDTH]     f32
// order   [rows]           u32, row numbers, those of a token side by side
// groups  [distinct, 3]    u32: token, its first place in order, its count; no token may occur twice
// scale   [1]              f32
// dw      [tokens, WIDTH]  f32
//
// Dispatch: groups in x; one invocation a column, in y.

@group(0) @binding(0) var<storage, read> dx: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> groups: array<u32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> dw: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let column = workgroup.y * WORKGROUP_SIZE + lane;
  if (column >= WIDTH) {
    return;
  }
  let token = groups[3u * workgroup.x];
  let first = groups[3u * workgroup.x + 1u];
  let end = first + groups[3u * workgroup.x + 2u];
  var sum = 0.0;
  for (var place = first; place < end; place++) {
    sum += dx[order[place] * WIDTH + column];
  }
  dw[token * WIDTH + column] += scale[0] * sum;
}
