// Keys and values of a sequence behind a prefix (common/prefixed-keys.wgsl, bindings 0 to 2) as f16, one after the other:
//
// packed_keys  [PREFIX + MAX_ROWS, 2, KV_GROUPS * HEAD_DIM]  f16, keys and then values of a row
//
// Dispatch: one workgroup for each row of keys and values in x.

@group(0) @binding(3) var<storage, read_write> packed_keys: array<vec2<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c = workgroup.x;
  if (c >= PREFIX + min(sequences[0], MAX_ROWS)) {
    return;
  }
  for (var i = lane; i < KV_GROUPS * QUADS; i += WORKGROUP_SIZE) {
    let key = key_quad(c, i / QUADS, i % QUADS);
    let value = value_quad(c, i / QUADS, i % QUADS);
    let to = c * 2u * KV_GROUPS * QUADS + i;
    packed_keys[to] = vec2<u32>(pack2x16float(key.xy), pack2x16float(key.zw));
    packed_keys[to + KV_GROUPS * QUADS] = vec2<u32>(pack2x16float(value.xy), pack2x16float(value.zw));
  }
}
