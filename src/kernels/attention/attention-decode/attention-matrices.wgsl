// The same as attention-decode.wgsl on subgroup matrices, for heads of 128 of which a multiple of 16 share a group: the 16
// queries of a workgroup fill a matrix of 16 x 16. Queries, keys and softmax weights are rounded to f16, sums are f32.
//
// rows         [rows]                                vec4<u32> (token, slot, position, prefix length)
// qkv          [rows, (HEADS + 2 KV_GROUPS) * 128]   f32: queries, keys, values, turned by RoPE
// cache_table  [slots, 1 + SLOT_PAGES]               u32, see common/paged-cache.wgsl
// keys,values  [pages * PAGE_ROWS, KV_GROUPS * 128]  f16, eight to a word; the row of the new token is written
// parts        [rows, HEADS, SPLITS, 128]            f32
// statistics   [rows, HEADS, SPLITS]                 vec2<f32>: highest, total
//
// Tiles of 32 cache rows go through workgroup memory. Of the 4 subgroups, two share the scores of 16 rows, each over half
// of the head; then each multiplies the weights with a quarter of the values' columns. Outside of products, eight
// invocations share a head, and keep its sums in registers, 16 columns each.
//
// Dispatch: splits in x, tiles of 16 heads in y, rows in z. Splits behind the end of the sequence do nothing.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> cache_table: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> values: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> parts: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> statistics: array<vec2<f32>>;

const WORKGROUP_SIZE = 128u;
const TILE_HEADS = 16u;
const GROUP_TILES = HEADS / KV_GROUPS / TILE_HEADS;
const LOWEST = -3.4e38;
const LOG2_E = 1.4426950408889634;
// Words of 16 bytes of a row of 128: f16, and f32.
const OCTETS = 16u;
const QUADS = 32u;
// Lines of the tiles in words of 16 bytes: 128 f16, 32 f32, 32 f16 and 128 f32, and one more against bank conflicts.
const LINE = 17u;
const SCORE_LINE = 9u;
const WEIGHT_LINE = 5u;
const SUM_LINE = 33u;

alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Result = subgroup_matrix_result<f32, 16, 16>;

var<workgroup> queries: array<vec4<u32>, TILE_HEADS * LINE>;
var<workgroup> tile_keys: array<vec4<u32>, KEYS * LINE>;
var<workgroup> tile_values: array<vec4<u32>, KEYS * LINE>;
// Both halves of the scores of a tile, then its sums.
var<workgroup> products: array<vec4<f32>, TILE_HEADS * SUM_LINE>;
var<workgroup> weights: array<vec4<u32>, TILE_HEADS * WEIGHT_LINE>;

// What an invocation moves of a tile, on its way from the cache to workgroup memory.
struct Moved {
  keys: array<vec4<u32>, 4>,
  values: array<vec4<u32>, 4>,
}

fn pack(low: vec4<f32>, high: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
}

// Rows behind the end are zero: what lies there may be no number, which a weight of zero would not silence. The new row
// is taken from qkv, because another workgroup may be writing it to the cache.
fn load_tile(slot: u32, group: u32, first: u32, last: u32, new_key: u32, new_value: u32, lane: u32) -> Moved {
  // A tile lies within a page.
  let cache = (cache_row(slot, first) * KV_GROUPS + group) * OCTETS;
  var moved = Moved();
  for (var i = 0u; i < 4u; i++) {
    let tile_row = lane / OCTETS + i * 8u;
    let c = first + tile_row;
    let octet = lane % OCTETS;
    if (c < last) {
      moved.keys[i] = keys[cache + tile_row * KV_GROUPS * OCTETS + octet];
      moved.values[i] = values[cache + tile_row * KV_GROUPS * OCTETS + octet];
    } else if (c == last) {
      moved.keys[i] = pack(qkv[new_key + 2u * octet], qkv[new_key + 2u * octet + 1u]);
      moved.values[i] = pack(qkv[new_value + 2u * octet], qkv[new_value + 2u * octet + 1u]);
    }
  }
  return moved;
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
@diagnostic(off, subgroup_uniformity)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let group = workgroup.y / GROUP_TILES;
  let row = rows[workgroup.z];
  let last = row.w + row.z;
  let span = keys_per_split(last + 1u);
  let begin = workgroup.x * span;
  if (begin > last) {
    return;
  }
  let end = min(begin + span, last + 1u);
  let projected = workgroup.z * (HEADS + 2u * KV_GROUPS) * QUADS;
  let new_key = projected + (HEADS + group) * QUADS;
  let new_value = new_key + KV_GROUPS * QUADS;
  // Eight invocations share a head.
  let line = lane / 8u;
  let part = lane % 8u;
  let head = workgroup.y * TILE_HEADS + line;

  var next = load_tile(row.y, group, begin, last, new_key, new_value, lane);
  // The factor turns exp into exp2.
  let query_scale = inverseSqrt(128.0) * LOG2_E;
  let prefix_bias = prefix_bias_of(row.y) * LOG2_E;
  for (var i = 0u; i < 2u; i++) {
    let source = projected + head * QUADS + part * 4u + 2u * i;
    queries[line * LINE + part * 2u + i] = pack(qkv[source] * query_scale, qkv[source + 1u] * query_scale);
  }
  if (end == last + 1u && workgroup.y % GROUP_TILES == 0u && lane < OCTETS) {
    let at = (cache_row(row.y, last) * KV_GROUPS + group) * OCTETS + lane;
    keys[at] = pack(qkv[new_key + 2u * lane], qkv[new_key + 2u * lane + 1u]);
    values[at] = pack(qkv[new_value + 2u * lane], qkv[new_value + 2u * lane + 1u]);
  }

  // Of the scores: 16 rows of the tile and half of the head; of the sums: 32 columns.
  let key_tile = lane / 32u % 2u;
  let half = lane / 64u;
  let columns = lane / 32u;
  var reference = LOWEST;
  var total = 0.0;
  var sums = array<vec4<f32>, 4>();
  for (var first = begin; first < end; first += KEYS) {
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      let to = (lane / OCTETS + i * 8u) * LINE + lane % OCTETS;
      tile_keys[to] = next.keys[i];
      tile_values[to] = next.values[i];
    }
    workgroupBarrier();
    if (first + KEYS < end) {
      next = load_tile(row.y, group, first + KEYS, last, new_key, new_value, lane);
    }

    // The zeros are written out, because some compilers give them only to the first turn of a loop.
    var s = Result();
    let q = half * 8u;
    let k = key_tile * 16u * LINE + half * 8u;
    s = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<Left, row_major>(&queries, q, LINE), subgroupMatrixLoad<Right, col_major>(&tile_keys, k, LINE), s);
    s = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<Left, row_major>(&queries, q + 2u, LINE), subgroupMatrixLoad<Right, col_major>(&tile_keys, k + 2u, LINE), s);
    s = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<Left, row_major>(&queries, q + 4u, LINE), subgroupMatrixLoad<Right, col_major>(&tile_keys, k + 4u, LINE), s);
    s = subgroupMatrixMultiplyAccumulate(subgroupMatrixLoad<Left, row_major>(&queries, q + 6u, LINE), subgroupMatrixLoad<Right, col_major>(&tile_keys, k + 6u, LINE), s);
    subgroupMatrixStore<row_major>(&products, half * 16u * SCORE_LINE + key_tile * 4u, s, SCORE_LINE);
    workgroupBarrier();

    let c = vec4<u32>(first + part * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
    var score = products[line * SCORE_LINE + part] + products[(line + 16u) * SCORE_LINE + part];
    score += select(vec4<f32>(), vec4<f32>(prefix_bias), c < vec4<u32>(row.w));
    score = select(vec4<f32>(LOWEST), score, c < vec4<u32>(end));
    var highest = max(max(score.x, score.y), max(score.z, score.w));
    highest = max(highest, subgroupShuffleXor(highest, 1u));
    highest = max(highest, subgroupShuffleXor(highest, 2u));
    highest = max(highest, subgroupShuffleXor(highest, 4u));
    let raised = max(reference, highest);
    let factor = exp2(reference - raised);
    reference = raised;
    // A prefix of almost no strength may leave a tile whose scores are all as low as a masked one.
    let weight = select(exp2(score - raised), vec4<f32>(), score <= vec4<f32>(LOWEST));
    total = total * factor + dot(weight, vec4<f32>(1.0));
    let packed = vec2<u32>(pack2x16float(weight.xy), pack2x16float(weight.zw));
    let other = subgroupShuffleXor(packed, 1u);
    if (part % 2u == 0u) {
      weights[line * WEIGHT_LINE + part / 2u] = vec4<u32>(packed, other);
    }
    workgroupBarrier();

    let w0 = subgroupMatrixLoad<Left, row_major>(&weights, 0u, WEIGHT_LINE);
    let w1 = subgroupMatrixLoad<Left, row_major>(&weights, 2u, WEIGHT_LINE);
    var o0 = Result();
    var o1 = Result();
    o0 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile_values, columns * 4u, LINE), o0);
    o1 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile_values, columns * 4u + 2u, LINE), o1);
    o0 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile_values, 16u * LINE + columns * 4u, LINE), o0);
    o1 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile_values, 16u * LINE + columns * 4u + 2u, LINE), o1);
    subgroupMatrixStore<row_major>(&products, columns * 8u, o0, SUM_LINE);
    subgroupMatrixStore<row_major>(&products, columns * 8u + 4u, o1, SUM_LINE);
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      sums[i] = sums[i] * factor + products[line * SUM_LINE + part * 4u + i];
    }
  }

  let part_of_head = (workgroup.z * HEADS + head) * SPLITS + workgroup.x;
  for (var i = 0u; i < 4u; i++) {
    parts[part_of_head * QUADS + part * 4u + i] = sums[i];
  }
  total += subgroupShuffleXor(total, 1u);
  total += subgroupShuffleXor(total, 2u);
  total += subgroupShuffleXor(total, 4u);
  if (part == 0u) {
    statistics[part_of_head] = vec2<f32>(reference / LOG2_E, total);
  }
}
