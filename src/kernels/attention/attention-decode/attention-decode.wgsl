// One part of the attention of a decode step: appends the new key and value to the cache, and attends to one split of
// the cache rows. attention-combine puts the parts together.
//   s[c] = q . keys[c] / sqrt(HEAD_DIM) + (c < prefix length ? prefix bias : 0)
//   highest = max_c s[c],  total = sum_c exp(s[c] - highest),  part = sum_c exp(s[c] - highest) values[c]
//
// rows         [rows]                                     vec4<u32> (token, slot, position, prefix length)
// qkv          [rows, (HEADS + 2 KV_GROUPS) * HEAD_DIM]   f32: queries, keys, values, turned by RoPE
// cache_table  [slots, 1 + SLOT_PAGES]                    u32, see common/paged-cache.wgsl
// keys,values  [pages * PAGE_ROWS, KV_GROUPS * HEAD_DIM]  f16 in pairs; the row of the new token is written
// parts        [rows, HEADS, SPLITS, HEAD_DIM]            f32
// statistics   [rows, HEADS, SPLITS]                      vec2<f32>: highest, total
//
// A workgroup serves TILE_HEADS heads of one group, which share the keys and values it loads, tile by tile of KEYS =
// LANES rows. The new row is taken from qkv, never from the cache, because another workgroup may be writing it.
//
// Dispatch: splits in x, tiles of heads in y, rows in z. Splits behind the end of the sequence do nothing.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> qkv: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> cache_table: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> values: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> parts: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2<f32>>;

const PAIRS = HEAD_DIM / 2u;
// Eight elements, the unit of loads.
const OCTETS = HEAD_DIM / 8u;
const GROUP_TILES = HEADS / KV_GROUPS / TILE_HEADS;
const HEADS_AT_ONCE = WORKGROUP_SIZE / LANES;
const HEAD_ROUNDS = (TILE_HEADS + HEADS_AT_ONCE - 1u) / HEADS_AT_ONCE;
const OWNED = (TILE_HEADS * PAIRS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
const TILE_LOADS = (KEYS * OCTETS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
// One octet more than a row, so that a column of keys lies in different banks.
const KEY_STRIDE = OCTETS + 1u;
const LOWEST = -3.4e38;

var<workgroup> queries: array<vec2<f32>, TILE_HEADS * PAIRS>;
var<workgroup> tile_keys: array<vec4<u32>, KEYS * KEY_STRIDE>;
var<workgroup> tile_values: array<vec4<u32>, KEYS * OCTETS>;
var<workgroup> weights: array<f32, HEAD_ROUNDS * HEADS_AT_ONCE * KEYS>;
var<workgroup> rescale: array<f32, HEAD_ROUNDS * HEADS_AT_ONCE>;

// Eight elements of the new row, as the cache holds them.
fn new_octet(pair: u32) -> vec4<u32> {
  return vec4<u32>(
    pack2x16float(qkv[pair]),
    pack2x16float(qkv[pair + 1u]),
    pack2x16float(qkv[pair + 2u]),
    pack2x16float(qkv[pair + 3u]),
  );
}

// Loads a tile of keys and values; rows behind the end are zero. All loads are issued before the first is waited for.
fn load_tile(slot: u32, group: u32, first: u32, last: u32, new_key: u32, new_value: u32, lane: u32) {
  // A tile lies within a page.
  let cache = (cache_row(slot, first) * KV_GROUPS + group) * OCTETS;
  var key: array<vec4<u32>, TILE_LOADS>;
  var value: array<vec4<u32>, TILE_LOADS>;
  for (var k = 0u; k < TILE_LOADS; k++) {
    let i = lane + k * WORKGROUP_SIZE;
    let at = cache + min(i / OCTETS, last - first) * KV_GROUPS * OCTETS + i % OCTETS;
    key[k] = keys[at];
    value[k] = values[at];
  }
  for (var k = 0u; k < TILE_LOADS; k++) {
    let i = lane + k * WORKGROUP_SIZE;
    let c = first + i / OCTETS;
    if (c == last) {
      key[k] = new_octet(new_key + i % OCTETS * 4u);
      value[k] = new_octet(new_value + i % OCTETS * 4u);
    } else if (c > last) {
      key[k] = vec4<u32>();
      value[k] = vec4<u32>();
    }
    if (i < KEYS * OCTETS) {
      tile_keys[i / OCTETS * KEY_STRIDE + i % OCTETS] = key[k];
      tile_values[i] = value[k];
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let group = workgroup.y / GROUP_TILES;
  let first_head = workgroup.y * TILE_HEADS;
  let row = rows[workgroup.z];
  let last = row.w + row.z;
  let span = keys_per_split(last + 1u);
  let begin = workgroup.x * span;
  if (begin > last) {
    return;
  }
  let end = min(begin + span, last + 1u);
  let projected = workgroup.z * (HEADS + 2u * KV_GROUPS) * PAIRS;
  let new_key = projected + (HEADS + group) * PAIRS;
  let new_value = new_key + KV_GROUPS * PAIRS;
  let prefix_bias = prefix_bias_of(row.y);

  for (var i = lane; i < TILE_HEADS * PAIRS; i += WORKGROUP_SIZE) {
    queries[i] = qkv[projected + first_head * PAIRS + i] * inverseSqrt(f32(HEAD_DIM));
  }
  if (end == last + 1u && workgroup.y % GROUP_TILES == 0u && lane < OCTETS) {
    let at = (cache_row(row.y, last) * KV_GROUPS + group) * OCTETS + lane;
    keys[at] = new_octet(new_key + 4u * lane);
    values[at] = new_octet(new_value + 4u * lane);
  }

  var highest: array<f32, HEAD_ROUNDS>;
  var total: array<f32, HEAD_ROUNDS>;
  for (var round = 0u; round < HEAD_ROUNDS; round++) {
    highest[round] = LOWEST;
  }
  var sums: array<vec2<f32>, OWNED>;
  for (var first = begin; first < end; first += KEYS) {
    load_tile(row.y, group, first, last, new_key, new_value, lane);
    workgroupBarrier();

    let c = first + lane % LANES;
    for (var round = 0u; round < HEAD_ROUNDS; round++) {
      let head = round * HEADS_AT_ONCE + lane / LANES;
      var score = LOWEST;
      if (c < end && head < TILE_HEADS) {
        score = select(0.0, prefix_bias, c < row.w);
        for (var j = 0u; j < OCTETS; j++) {
          let key = tile_keys[lane % LANES * KEY_STRIDE + j];
          let query = head * PAIRS + 4u * j;
          score += dot(queries[query], unpack2x16float(key.x)) + dot(queries[query + 1u], unpack2x16float(key.y))
            + dot(queries[query + 2u], unpack2x16float(key.z)) + dot(queries[query + 3u], unpack2x16float(key.w));
        }
      }
      let largest = max(highest[round], max_lanes(score, lane));
      // A prefix of almost no strength may leave a tile whose scores are all as low as a masked one.
      let weight = select(exp(score - largest), 0.0, score <= LOWEST);
      let scale = exp(highest[round] - largest);
      total[round] = total[round] * scale + sum_lanes(vec4<f32>(weight, 0.0, 0.0, 0.0), lane).x;
      highest[round] = largest;
      weights[head * KEYS + lane % LANES] = weight;
      if (lane % LANES == 0u) {
        rescale[head] = scale;
      }
    }
    workgroupBarrier();

    for (var k = 0u; k < OWNED; k++) {
      let i = lane + k * WORKGROUP_SIZE;
      if (i < TILE_HEADS * PAIRS) {
        let head = i / PAIRS;
        let pair = i % PAIRS;
        var sum = sums[k] * rescale[head];
        for (var j = 0u; j < KEYS; j++) {
          sum += weights[head * KEYS + j] * unpack2x16float(tile_values[j * OCTETS + pair / 4u][pair % 4u]);
        }
        sums[k] = sum;
      }
    }
    workgroupBarrier();
  }

  let part = workgroup.z * HEADS + first_head;
  for (var k = 0u; k < OWNED; k++) {
    let i = lane + k * WORKGROUP_SIZE;
    if (i < TILE_HEADS * PAIRS) {
      parts[((part + i / PAIRS) * SPLITS + workgroup.x) * PAIRS + i % PAIRS] = sums[k];
    }
  }
  for (var round = 0u; round < HEAD_ROUNDS; round++) {
    let head = round * HEADS_AT_ONCE + lane / LANES;
    if (lane % LANES == 0u && head < TILE_HEADS) {
      statistics[(part + head) * SPLITS + workgroup.x] = vec2<f32>(highest[round], total[round]);
    }
  }
}
