// Puts the keys and values of new rows into the cache, rounded to f16:
//   keys[cache_row(slot, prefix length + position)] = k(row),  values likewise; see common/paged-cache.wgsl
//
// rows         [rows]                                    vec4<u32> (token, slot, position, prefix length)
// qkv          [rows, (HEADS + 2 KV_GROUPS) * HEAD_DIM]  f32: queries, rotated keys, values
// cache_table  [slots, 1 + SLOT_PAGES]                   u32
// keys,values  [pages * PAGE_ROWS, KV_GROUPS * HEAD_DIM] f16 in pairs
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> qkv: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> cache_table: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

const QUERY_PAIRS = HEADS * HEAD_DIM / 2u;
const CACHE_PAIRS = KV_GROUPS * HEAD_DIM / 2u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = rows[workgroup.x];
  let read_at = workgroup.x * (QUERY_PAIRS + 2u * CACHE_PAIRS) + QUERY_PAIRS;
  let write_at = cache_row(row.y, row.w + row.z) * CACHE_PAIRS;
  for (var i = lane; i < CACHE_PAIRS; i += WORKGROUP_SIZE) {
    keys[write_at + i] = pack2x16float(qkv[read_at + i]);
    values[write_at + i] = pack2x16float(qkv[read_at + CACHE_PAIRS + i]);
  }
}
