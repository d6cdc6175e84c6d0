// Tiles of the keys and values that pack-keys.wgsl rounds, for attention in training on subgroup matrices
// (matrix-tiles.wgsl):
//
// sequence_length  [1]                                      u32, rows that belong to the sequence
// packed_keys      [PREFIX + MAX_ROWS, 2, KV_GROUPS * 128]  f16, eight to a word of 16 bytes

@group(0) @binding(0) var<storage, read> sequence_length: array<u32>;
@group(0) @binding(1) var<storage, read> packed_keys: array<vec4<u32>>;

// What an invocation moves of a tile, on its way from storage to workgroup memory.
struct Moved {
  keys: array<vec4<u32>, 4>,
  values: array<vec4<u32>, 4>,
}

// Rows behind the end are zero: what lies there may be no number, which a weight of zero would not silence.
fn load_tile(group: u32, first: u32, end: u32, lane: u32) -> Moved {
  var moved = Moved();
  for (var i = 0u; i < 4u; i++) {
    let c = first + lane / 16u + i * 8u;
    let source = (c * 2u * KV_GROUPS + group) * 16u + lane % 16u;
    if (c < end) {
      moved.keys[i] = packed_keys[source];
      moved.values[i] = packed_keys[source + KV_GROUPS * 16u];
    }
  }
  return moved;
}
