// Embedding: y[r, i] = table[token(r), i]
//
// The table [OUT, IN] is a weight in one of the formats of common/weight-*.wgsl (bindings 0 to 2). It may be a
// slice of a larger one: it holds the tokens FIRST_TOKEN .. FIRST_TOKEN + OUT - 1 and leaves other rows alone.
//
// rows  [rows]      vec4<u32> (token, slot, position, prefix length)
// y     [rows, IN]  f32
//
// Dispatch: one workgroup a row.

@group(0) @binding(3) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let token = rows[row].x;
  if (token < FIRST_TOKEN || token >= FIRST_TOKEN + OUT) {
    return;
  }
  for (var octet = lane; octet < IN / 8u; octet += WORKGROUP_SIZE) {
    let values = weight_octet(token - FIRST_TOKEN, octet);
    let at = row * (IN / 4u) + octet * 2u;
    y[at] = values[0];
    y[at + 1u] = values[1];
  }
}
