// Attention of QUERIES consecutive rows of one sequence to the cache, with grouped queries and a prefix:
//   s[c] = q . keys[c] / sqrt(HEAD_DIM) + (c < prefix length ? prefix bias : 0)
//   y    = sum_c softmax(s)[c] values[c],   c = 0 .. prefix length + position of the row
// Cache rows lie in pages: see common/paged-cache.wgsl, which also has the prefix's bias.
//
// rows         [rows]                                    vec4<u32> (token, slot, position, prefix length)
// qkv          [rows, (HEADS + 2 KV_GROUPS) * HEAD_DIM]  f32; the queries are read
// cache_table  [slots, 1 + SLOT_PAGES]                   u32
// keys,values  [pages * PAGE_ROWS, KV_GROUPS * HEAD_DIM] f16 in pairs
// y            [rows, HEADS * HEAD_DIM]                  f32
//
// The softmax is taken online (running maximum and sum) over tiles of KEYS cache rows, so that the scores never
// leave workgroup memory. The tile's rows must belong to one slot when QUERIES > 1. The buffers have MAX_ROWS rows; those of a
// tile behind the rows dispatched are computed from whatever is there.
//
// Dispatch: heads in x, tiles of QUERIES rows in y.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> qkv: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> cache_table: array<u32>;
@group(0) @binding(3) var<storage, read> keys: array<u32>;
@group(0) @binding(4) var<storage, read> values: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec2<f32>>;

const PAIRS = HEAD_DIM / 2u;
const LOWEST = -3.4e38;
// Output pairs of the tile, dealt out over the invocations.
const OWNED = (QUERIES * PAIRS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

var<workgroup> queries: array<vec2<f32>, QUERIES * PAIRS>;
var<workgroup> scores: array<f32, QUERIES * KEYS>;
var<workgroup> highest: array<f32, QUERIES>;
var<workgroup> total: array<f32, QUERIES>;
var<workgroup> rescale: array<f32, QUERIES>;
var<workgroup> tile_end: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let head = workgroup.x;
  let group = head / (HEADS / KV_GROUPS);
  let first_row = workgroup.y * QUERIES;
  let sequence = rows[first_row];
  let prefix_length = sequence.w;
  let prefix_bias = prefix_bias_of(sequence.y);

  for (var i = lane; i < QUERIES * PAIRS; i += WORKGROUP_SIZE) {
    let row = min(first_row + i / PAIRS, MAX_ROWS - 1u);
    queries[i] = qkv[(row * (HEADS + 2u * KV_GROUPS) + head) * PAIRS + i % PAIRS] * inverseSqrt(f32(HEAD_DIM));
  }
  for (var i = lane; i < QUERIES; i += WORKGROUP_SIZE) {
    highest[i] = LOWEST;
    total[i] = 0.0;
  }
  if (lane == 0u) {
    let last_row = min(first_row + QUERIES, MAX_ROWS) - 1u;
    tile_end = prefix_length + sequence.z + (last_row - first_row) + 1u;
  }
  // All invocations must agree on the number of tiles for the barriers in the loop.
  let end = workgroupUniformLoad(&tile_end);

  var sums: array<vec2<f32>, OWNED>;
  for (var first = 0u; first < end; first += KEYS) {
    // A tile lies within a page.
    let tile_row = cache_row(sequence.y, first);
    for (var i = lane; i < QUERIES * KEYS; i += WORKGROUP_SIZE) {
      let query = i / KEYS;
      let c = first + i % KEYS;
      var score = LOWEST;
      if (c <= prefix_length + sequence.z + query && c < end) {
        score = select(0.0, prefix_bias, c < prefix_length);
        let at = ((tile_row + i % KEYS) * KV_GROUPS + group) * PAIRS;
        for (var j = 0u; j < PAIRS; j++) {
          score += dot(queries[query * PAIRS + j], unpack2x16float(keys[at + j]));
        }
      }
      scores[i] = score;
    }
    workgroupBarrier();

    for (var query = lane; query < QUERIES; query += WORKGROUP_SIZE) {
      var largest = highest[query];
      for (var j = 0u; j < KEYS; j++) {
        largest = max(largest, scores[query * KEYS + j]);
      }
      var sum = 0.0;
      for (var j = 0u; j < KEYS; j++) {
        // A masked score must weigh nothing even where every score so far is masked.
        let score = scores[query * KEYS + j];
        let weight = select(exp(score - largest), 0.0, score <= LOWEST);
        scores[query * KEYS + j] = weight;
        sum += weight;
      }
      rescale[query] = exp(highest[query] - largest);
      total[query] = total[query] * rescale[query] + sum;
      highest[query] = largest;
    }
    workgroupBarrier();

    let tile_keys = min(KEYS, end - first);
    for (var k = 0u; k < OWNED; k++) {
      let i = lane + k * WORKGROUP_SIZE;
      if (i < QUERIES * PAIRS) {
        let query = i / PAIRS;
        var sum = sums[k] * rescale[query];
        var at = (tile_row * KV_GROUPS + group) * PAIRS + i % PAIRS;
        for (var j = 0u; j < tile_keys; j++) {
          sum += scores[query * KEYS + j] * unpack2x16float(values[at]);
          at += KV_GROUPS * PAIRS;
        }
        sums[k] = sum;
      }
    }
    workgroupBarrier();
  }

  for (var k = 0u; k < OWNED; k++) {
    let i = lane + k * WORKGROUP_SIZE;
    let row = first_row + i / PAIRS;
    if (i < QUERIES * PAIRS && row < MAX_ROWS) {
      y[(row * HEADS + head) * PAIRS + i % PAIRS] = sums[k] / total[i / PAIRS];
    }
  }
}
