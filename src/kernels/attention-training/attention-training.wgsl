// Attention of a sequence behind a prefix, for training, in f32 on any adapter:
//   s[c]        = q . keys[c] / sqrt(HEAD_DIM),   c = 0 .. PREFIX + row
//   log_sum_exp = log(sum_c exp(s[c]))
//   y           = sum_c exp(s[c] - log_sum_exp) values[c]
//
// Lengths, queries, keys and values: common/prefixed-keys.wgsl (bindings 0 to 2).
// y            [MAX_ROWS, HEADS * HEAD_DIM]  f32
// log_sum_exp  [MAX_ROWS, HEADS]             f32
//
// All heads of a group read the same keys and values. The pairs (row, head) of a group are numbered row by row as lines;
// a workgroup has LINES of them. Tiles of KEYS keys, and then their values, go through workgroup memory. The softmax is
// taken online (running maximum and sum).
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

// One more against bank conflicts.
const LINE = QUADS + 1u;
const SCORE_LINE = KEYS + 1u;
const LOWEST = -3.4e38;
// Sums of the tile, by fours, dealt out over the invocations.
const OWNED = (LINES * QUADS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

var<workgroup> queries: array<vec4<f32>, LINES * LINE>;
var<workgroup> tile: array<vec4<f32>, KEYS * LINE>;
var<workgroup> scores: array<f32, LINES * SCORE_LINE>;
var<workgroup> rescale: array<f32, LINES>;
var<workgroup> shared_rows: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  if (lane == 0u) {
    shared_rows = min(sequence_length[0], MAX_ROWS);
  }
  let rows = workgroupUniformLoad(&shared_rows);
  let group = workgroup.x;
  let first_line = (workgroups.y - 1u - workgroup.y) * LINES;
  if (first_line / GROUP_HEADS >= rows) {
    return;
  }
  let end = PREFIX + min((first_line + LINES - 1u) / GROUP_HEADS, rows - 1u) + 1u;

  for (var i = lane; i < LINES * QUADS; i += WORKGROUP_SIZE) {
    let line = first_line + i / QUADS;
    let row = min(line / GROUP_HEADS, rows - 1u);
    let query = qkv[query_at(row, group * GROUP_HEADS + line % GROUP_HEADS) + i % QUADS];
    queries[i / QUADS * LINE + i % QUADS] = query * inverseSqrt(f32(HEAD_DIM));
  }
  // The first LINES invocations keep the softmax of a line each.
  var highest = LOWEST;
  var total = 0.0;
  var sums: array<vec4<f32>, OWNED>;
  for (var first = 0u; first < end; first += KEYS) {
    workgroupBarrier();
    for (var i = lane; i < KEYS * QUADS; i += WORKGROUP_SIZE) {
      tile[i / QUADS * LINE + i % QUADS] = key_quad(min(first + i / QUADS, end - 1u), group, i % QUADS);
    }
    workgroupBarrier();

    // Two lines by two keys, half a tile apart.
    for (var i = lane; i < LINES * KEYS / 4u; i += WORKGROUP_SIZE) {
      let line = i / (KEYS / 2u);
      let key = i % (KEYS / 2u);
      var products = vec4<f32>();
      for (var d = 0u; d < QUADS; d++) {
        let q0 = queries[line * LINE + d];
        let q1 = queries[(line + LINES / 2u) * LINE + d];
        let k0 = tile[key * LINE + d];
        let k1 = tile[(key + KEYS / 2u) * LINE + d];
        products += vec4<f32>(dot(q0, k0), dot(q0, k1), dot(q1, k0), dot(q1, k1));
      }
      scores[line * SCORE_LINE + key] = products.x;
      scores[line * SCORE_LINE + key + KEYS / 2u] = products.y;
      scores[(line + LINES / 2u) * SCORE_LINE + key] = products.z;
      scores[(line + LINES / 2u) * SCORE_LINE + key + KEYS / 2u] = products.w;
    }
    workgroupBarrier();

    for (var i = lane; i < KEYS * QUADS; i += WORKGROUP_SIZE) {
      tile[i / QUADS * LINE + i % QUADS] = value_quad(min(first + i / QUADS, end - 1u), group, i % QUADS);
    }
    if (lane < LINES) {
      let line_end = PREFIX + min((first_line + lane) / GROUP_HEADS, rows - 1u) + 1u;
      let seen = line_end - min(first, line_end);
      var largest = highest;
      for (var j = 0u; j < min(KEYS, seen); j++) {
        largest = max(largest, scores[lane * SCORE_LINE + j]);
      }
      var sum = 0.0;
      for (var j = 0u; j < KEYS; j++) {
        // Every line sees the first key, so that `largest` is a score.
        let weight = select(0.0, exp(scores[lane * SCORE_LINE + j] - largest), j < seen);
        scores[lane * SCORE_LINE + j] = weight;
        sum += weight;
      }
      rescale[lane] = exp(highest - largest);
      total = total * rescale[lane] + sum;
      highest = largest;
    }
    workgroupBarrier();

    for (var k = 0u; k < OWNED; k++) {
      let i = lane + k * WORKGROUP_SIZE;
      if (i < LINES * QUADS) {
        let line = i / QUADS;
        var sum = sums[k] * rescale[line];
        for (var j = 0u; j < KEYS; j++) {
          sum += scores[line * SCORE_LINE + j] * tile[j * LINE + i % QUADS];
        }
        sums[k] = sum;
      }
    }
  }

  let own_row = (first_line + lane) / GROUP_HEADS;
  if (lane < LINES) {
    rescale[lane] = 1.0 / total;
    if (own_row < rows) {
      log_sum_exp[own_row * HEADS + group * GROUP_HEADS + (first_line + lane) % GROUP_HEADS] = highest + log(total);
    }
  }
  workgroupBarrier();
  for (var k = 0u; k < OWNED; k++) {
    let i = lane + k * WORKGROUP_SIZE;
    let line = first_line + i / QUADS;
    let row = line / GROUP_HEADS;
    if (i < LINES * QUADS && row < rows) {
      y[(row * HEADS + group * GROUP_HEADS + line % GROUP_HEADS) * QUADS + i % QUADS] = sums[k] * rescale[i / QUADS];
    }
  }
}
