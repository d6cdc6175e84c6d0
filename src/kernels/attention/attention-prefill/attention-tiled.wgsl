// Attention of the rows of a chunk of one sequence to the cache, in f32, on any adapter:
//   s[c] = q . keys[c] / sqrt(HEAD_DIM) + (c < prefix length ? prefix bias : 0)
//   y    = sum_c softmax(s)[c] values[c],   c = 0 .. prefix length + position of the row
// Cache rows lie in pages: see common/paged-cache.wgsl, which also has the prefix's bias.
//
// rows         [rows]                                    vec4<u32> (token, slot, position, prefix length)
// qkv          [rows, (HEADS + 2 KV_GROUPS) * HEAD_DIM]  f32; the queries are read
// cache_table  [slots, 1 + SLOT_PAGES]                   u32
// keys,values  [pages * PAGE_ROWS, KV_GROUPS * HEAD_DIM] f16, eight to a word of 16 bytes
// y            [rows, HEADS * HEAD_DIM]                  f32
//
// All heads of a group read the same keys and values. The pairs (row, head) of a group are numbered row by row as lines; a
// workgroup has LINES of them. Tiles of KEYS cache rows go through workgroup memory, first their keys, then their values
// in the same place; what comes next is on its way from the cache to registers meanwhile. An invocation computes the scores of 4 lines x 4 keys, and has the sums of 4 lines x 16 elements.
// The softmax is taken online (running maximum and sum).
//
// The buffers have MAX_ROWS rows; those of a tile behind the rows dispatched are computed from whatever is there.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> cache_table: array<u32>;
@group(0) @binding(3) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;

const GROUP_HEADS = HEADS / KV_GROUPS;
// Elements go by fours.
const QUADS = HEAD_DIM / 4u;
// One more against bank conflicts.
const LINE = QUADS + 1u;
const SCORE_LINE = KEYS + 1u;
const LINE_FOURS = LINES / 4u;
const KEY_FOURS = KEYS / 4u;
const QUAD_FOURS = QUADS / 4u;
const OCTETS = HEAD_DIM / 8u;
// Octets of a tile that an invocation moves.
const OWN = (KEYS * OCTETS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
const LOWEST = -3.4e38;

var<workgroup> queries: array<vec4<f32>, LINES * LINE>;
var<workgroup> tile: array<vec2<u32>, KEYS * LINE>;
var<workgroup> scores: array<f32, LINES * SCORE_LINE>;
var<workgroup> rescale: array<f32, LINES>;
var<workgroup> sequence_of_tile: vec4<u32>;

fn unpack(word: vec2<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(word.x), unpack2x16float(word.y));
}

// The octet number `i` of an invocation, in a tile of cache rows from `first` on; behind the end it is the last row's.
fn octet_source(slot: u32, group: u32, first: u32, end: u32, lane: u32, i: u32) -> u32 {
  let at = lane + i * WORKGROUP_SIZE;
  let c = min(first + at / OCTETS, end - 1u);
  return (cache_row(slot, c) * KV_GROUPS + group) * OCTETS + at % OCTETS;
}

fn load_keys(slot: u32, group: u32, first: u32, end: u32, lane: u32) -> array<vec4<u32>, OWN> {
  var moved = array<vec4<u32>, OWN>();
  for (var i = 0u; i < OWN; i++) {
    moved[i] = keys[octet_source(slot, group, first, end, lane, i)];
  }
  return moved;
}

fn load_values(slot: u32, group: u32, first: u32, end: u32, lane: u32) -> array<vec4<u32>, OWN> {
  var moved = array<vec4<u32>, OWN>();
  for (var i = 0u; i < OWN; i++) {
    moved[i] = values[octet_source(slot, group, first, end, lane, i)];
  }
  return moved;
}

fn store_tile(moved: array<vec4<u32>, OWN>, lane: u32) {
  for (var i = 0u; i < OWN; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (at < KEYS * OCTETS) {
      let to = at / OCTETS * LINE + at % OCTETS * 2u;
      tile[to] = moved[i].xy;
      tile[to + 1u] = moved[i].zw;
    }
  }
}

fn put_scores(products: vec4<f32>, line: u32, key: u32) {
  scores[line * SCORE_LINE + key] = products.x;
  scores[line * SCORE_LINE + key + KEY_FOURS] = products.y;
  scores[line * SCORE_LINE + key + 2u * KEY_FOURS] = products.z;
  scores[line * SCORE_LINE + key + 3u * KEY_FOURS] = products.w;
}

fn masked_score(line: u32, key: u32, c: u32, line_end: u32, prefix_length: u32, prefix_bias: f32) -> f32 {
  let biased = scores[line * SCORE_LINE + key] + select(0.0, prefix_bias, c < prefix_length);
  return select(LOWEST, biased, c < line_end);
}

fn finish(sums: mat4x4<f32>, group: u32, first_line: u32, line: u32, quad: u32) {
  let row = (first_line + line) / GROUP_HEADS;
  if (row < MAX_ROWS) {
    let to = (row * HEADS + group * GROUP_HEADS + (first_line + line) % GROUP_HEADS) * QUADS + quad;
    y[to] = sums[0] * rescale[line];
    y[to + QUAD_FOURS] = sums[1] * rescale[line];
    y[to + 2u * QUAD_FOURS] = sums[2] * rescale[line];
    y[to + 3u * QUAD_FOURS] = sums[3] * rescale[line];
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.x;
  let first_line = (workgroups.y - 1u - workgroup.y) * LINES;
  let first_row = first_line / GROUP_HEADS;
  let last_row = min((first_line + LINES - 1u) / GROUP_HEADS, MAX_ROWS - 1u);
  if (lane == 0u) {
    sequence_of_tile = rows[first_row];
  }
  let sequence = workgroupUniformLoad(&sequence_of_tile);
  let prefix_length = sequence.w;
  let prefix_bias = prefix_bias_of(sequence.y);
  let first_end = prefix_length + sequence.z + 1u;
  let end = first_end + (last_row - first_row);

  for (var i = lane; i < LINES * QUADS; i += WORKGROUP_SIZE) {
    let line = first_line + i / QUADS;
    let row = min(line / GROUP_HEADS, MAX_ROWS - 1u);
    let head = group * GROUP_HEADS + line % GROUP_HEADS;
    let source = (row * (HEADS + 2u * KV_GROUPS) + head) * QUADS + i % QUADS;
    queries[i / QUADS * LINE + i % QUADS] = qkv[source] * inverseSqrt(f32(HEAD_DIM));
  }
  // The first LINES invocations keep the softmax of a line each.
  var highest = LOWEST;
  var total = 0.0;
  // Where the sums of an invocation lie: strided, so that neighbours read neighbouring words.
  let sum_line = lane / QUAD_FOURS;
  let sum_quad = lane % QUAD_FOURS;
  var sums0 = mat4x4<f32>();
  var sums1 = mat4x4<f32>();
  var sums2 = mat4x4<f32>();
  var sums3 = mat4x4<f32>();

  var next_keys = load_keys(sequence.y, group, 0u, end, lane);
  for (var first = 0u; first < end; first += KEYS) {
    workgroupBarrier();
    store_tile(next_keys, lane);
    workgroupBarrier();
    let next_values = load_values(sequence.y, group, first, end, lane);

    for (var i = lane; i < LINE_FOURS * KEY_FOURS; i += WORKGROUP_SIZE) {
      let line = i / KEY_FOURS;
      let key = i % KEY_FOURS;
      // The initial zeros are written out, because some compilers give them only to the first turn of a loop.
      var products0 = vec4<f32>();
      var products1 = vec4<f32>();
      var products2 = vec4<f32>();
      var products3 = vec4<f32>();
      for (var d = 0u; d < QUADS; d++) {
        let k = mat4x4<f32>(
          unpack(tile[key * LINE + d]),
          unpack(tile[(key + KEY_FOURS) * LINE + d]),
          unpack(tile[(key + 2u * KEY_FOURS) * LINE + d]),
          unpack(tile[(key + 3u * KEY_FOURS) * LINE + d]),
        );
        products0 += queries[line * LINE + d] * k;
        products1 += queries[(line + LINE_FOURS) * LINE + d] * k;
        products2 += queries[(line + 2u * LINE_FOURS) * LINE + d] * k;
        products3 += queries[(line + 3u * LINE_FOURS) * LINE + d] * k;
      }
      put_scores(products0, line, key);
      put_scores(products1, line + LINE_FOURS, key);
      put_scores(products2, line + 2u * LINE_FOURS, key);
      put_scores(products3, line + 3u * LINE_FOURS, key);
    }
    workgroupBarrier();

    store_tile(next_values, lane);
    next_keys = load_keys(sequence.y, group, first + KEYS, end, lane);
    if (lane < LINES) {
      let row = min((first_line + lane) / GROUP_HEADS, MAX_ROWS - 1u);
      let line_end = first_end + (row - first_row);
      var largest = highest;
      for (var j = 0u; j < KEYS; j++) {
        largest = max(largest, masked_score(lane, j, first + j, line_end, prefix_length, prefix_bias));
      }
      // Every line sees the first cache row, so that `largest` is a score and masked ones weigh nothing.
      let factor = exp(highest - largest);
      total *= factor;
      highest = largest;
      for (var j = 0u; j < KEYS; j++) {
        let weight = exp(masked_score(lane, j, first + j, line_end, prefix_length, prefix_bias) - largest);
        scores[lane * SCORE_LINE + j] = weight;
        total += weight;
      }
      rescale[lane] = factor;
    }
    workgroupBarrier();

    if (sum_line < LINE_FOURS) {
      sums0 *= rescale[sum_line];
      sums1 *= rescale[sum_line + LINE_FOURS];
      sums2 *= rescale[sum_line + 2u * LINE_FOURS];
      sums3 *= rescale[sum_line + 3u * LINE_FOURS];
      for (var c = 0u; c < KEYS; c++) {
        let v = mat4x4<f32>(
          unpack(tile[c * LINE + sum_quad]),
          unpack(tile[c * LINE + sum_quad + QUAD_FOURS]),
          unpack(tile[c * LINE + sum_quad + 2u * QUAD_FOURS]),
          unpack(tile[c * LINE + sum_quad + 3u * QUAD_FOURS]),
        );
        sums0 += scores[sum_line * SCORE_LINE + c] * v;
        sums1 += scores[(sum_line + LINE_FOURS) * SCORE_LINE + c] * v;
        sums2 += scores[(sum_line + 2u * LINE_FOURS) * SCORE_LINE + c] * v;
        sums3 += scores[(sum_line + 3u * LINE_FOURS) * SCORE_LINE + c] * v;
      }
    }
  }

  if (lane < LINES) {
    rescale[lane] = 1.0 / total;
  }
  workgroupBarrier();
  if (sum_line < LINE_FOURS) {
    finish(sums0, group, first_line, sum_line, sum_quad);
    finish(sums1, group, first_line, sum_line + LINE_FOURS, sum_quad);
    finish(sums2, group, first_line, sum_line + 2u * LINE_FOURS, sum_quad);
    finish(sums3, group, first_line, sum_line + 3u * LINE_FOURS, sum_quad);
  }
}
