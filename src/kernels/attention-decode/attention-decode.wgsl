// One part of the attention of a decode step: appends the new key and value to the cache, and attends to one split of
// the cache rows. attention-combine puts the parts together.
//   s[c] = q . keys[c] / sqrt(HEAD_DIM) + (c < prefix length ? prefix_bias : 0)
//   highest = max_c s[c],  total = sum_c exp(s[c] - highest),  part = sum_c exp(s[c] - highest) values[c]
//
// rows         [rows]                                     vec4<u32> (token, slot, position, prefix length)
// qkv          [rows, (HEADS + 2 KV_GROUPS) * HEAD_DIM]   f32: queries, keys, values, turned by RoPE
// keys,values  [slots, CAPACITY, KV_GROUPS * HEAD_DIM]    f16 in pairs; the row of the new token is written
// parameters   [1]                                        f32 (prefix_bias)
// parts        [rows, HEADS, SPLITS, HEAD_DIM]            f32
// statistics   [rows, HEADS, SPLITS]                      vec2<f32>: highest, total
//
// A workgroup serves TILE_HEADS heads of one group, which share the keys and values it loads, tile by tile of KEYS =
// LANES rows. The new row is taken from qkv, never from the cache, because another workgroup may be writing it.
//
// Dispatch: splits in x, tiles of heads in y, rows in z. Splits behind the end of the sequence do nothing.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> qkv: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<u32>;
@group(0) @binding(4) var<storage, read> parameters: array<f32>;
@group(0) @binding(5) var<storage, read_write> parts: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2<f32>>;

const PAIRS = HEAD_DIM / 2u;
const GROUP_TILES = HEADS / KV_GROUPS / TILE_HEADS;
const HEADS_AT_ONCE = WORKGROUP_SIZE / LANES;
const HEAD_ROUNDS = (TILE_HEADS + HEADS_AT_ONCE - 1u) / HEADS_AT_ONCE;
const OWNED = (TILE_HEADS * PAIRS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
// One word more than a row, so that a column of keys lies in different banks.
const KEY_STRIDE = PAIRS + 1u;
const LOWEST = -3.4e38;

var<workgroup> queries: array<vec2<f32>, TILE_HEADS * PAIRS>;
var<workgroup> tile_keys: array<u32, KEYS * KEY_STRIDE>;
var<workgroup> tile_values: array<u32, KEYS * PAIRS>;
var<workgroup> weights: array<f32, HEAD_ROUNDS * HEADS_AT_ONCE * KEYS>;
var<workgroup> rescale: array<f32, HEAD_ROUNDS * HEADS_AT_ONCE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let group = workgroup.y / GROUP_TILES;
  let first_head = workgroup.y * TILE_HEADS;
  let row = rows[workgroup.z];
  let length = row.w + row.z + 1u;
  let span = keys_per_split(length);
  let begin = workgroup.x * span;
  if (begin >= length) {
    return;
  }
  let end = min(begin + span, length);
  let projected = workgroup.z * (HEADS + 2u * KV_GROUPS) * PAIRS;
  let new_key = projected + (HEADS + group) * PAIRS;
  let new_value = new_key + KV_GROUPS * PAIRS;
  let cache = (row.y * CAPACITY * KV_GROUPS + group) * PAIRS;

  for (var i = lane; i < TILE_HEADS * PAIRS; i += WORKGROUP_SIZE) {
    queries[i] = qkv[projected + first_head * PAIRS + i] * inverseSqrt(f32(HEAD_DIM));
  }
  if (end == length && workgroup.y % GROUP_TILES == 0u) {
    let at = cache + (length - 1u) * KV_GROUPS * PAIRS;
    for (var i = lane; i < PAIRS; i += WORKGROUP_SIZE) {
      keys[at + i] = pack2x16float(qkv[new_key + i]);
      values[at + i] = pack2x16float(qkv[new_value + i]);
    }
  }

  var highest: array<f32, HEAD_ROUNDS>;
  var total: array<f32, HEAD_ROUNDS>;
  for (var round = 0u; round < HEAD_ROUNDS; round++) {
    highest[round] = LOWEST;
  }
  var sums: array<vec2<f32>, OWNED>;
  for (var first = begin; first < end; first += KEYS) {
    for (var i = lane; i < KEYS * PAIRS; i += WORKGROUP_SIZE) {
      let c = first + i / PAIRS;
      let pair = i % PAIRS;
      var key = 0u;
      var value = 0u;
      if (c < length - 1u) {
        let at = cache + c * KV_GROUPS * PAIRS + pair;
        key = keys[at];
        value = values[at];
      } else if (c == length - 1u) {
        key = pack2x16float(qkv[new_key + pair]);
        value = pack2x16float(qkv[new_value + pair]);
      }
      tile_keys[i / PAIRS * KEY_STRIDE + pair] = key;
      tile_values[i] = value;
    }
    workgroupBarrier();

    let c = first + lane % LANES;
    for (var round = 0u; round < HEAD_ROUNDS; round++) {
      let head = round * HEADS_AT_ONCE + lane / LANES;
      var score = LOWEST;
      if (c < end && head < TILE_HEADS) {
        score = select(0.0, parameters[0], c < row.w);
        for (var j = 0u; j < PAIRS; j++) {
          score += dot(queries[head * PAIRS + j], unpack2x16float(tile_keys[lane % LANES * KEY_STRIDE + j]));
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
        var sum = sums[k] * rescale[head];
        for (var j = 0u; j < KEYS; j++) {
          sum += weights[head * KEYS + j] * unpack2x16float(tile_values[j * PAIRS + i % PAIRS]);
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
