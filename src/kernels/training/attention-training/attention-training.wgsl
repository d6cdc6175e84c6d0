// Attention of sequences behind a prefix, for training, in f32 on any adapter:
//   s[c]        = q . keys[c] / sqrt(HEAD_DIM),   c = 0 .. PREFIX - 1, PREFIX + sequence_begin(row) .. PREFIX + row
//   log_sum_exp = log(sum_c exp(s[c]))
//   y           = sum_c exp(s[c] - log_sum_exp) values[c]
//
// Lengths, queries, keys and values: common/prefixed-keys.wgsl (bindings 0 to 2).
// y            [MAX_ROWS, HEADS * HEAD_DIM]  f32
// log_sum_exp  [MAX_ROWS, HEADS]             f32
//
// The tiles are those of common/fours.wgsl and common/kept-queries.wgsl. Keys, and then their values, go through workgroup
// memory; what comes next is on its way from storage to registers meanwhile. The softmax is taken online (running maximum
// and sum): PARTS invocations share a four, each with every PARTS-th key of a tile.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

const KEPT = LINES;
const PASSING = KEYS;
// Of the softmax: invocations that share a four, and keys of each.
const PARTS = WORKGROUP_SIZE / FOURS;
const OWN_KEYS = (KEYS + PARTS - 1u) / PARTS;
const LOWEST = -3.4e38;

// Weights of a key for a four of lines.
var<workgroup> weights: array<vec4<f32>, KEYS * FOURS>;
// What each part of a four has found: its highest score, and in the end its sum of weights.
var<workgroup> partial: array<vec4<f32>, WORKGROUP_SIZE>;
// The factor of what was summed before.
var<workgroup> rescale: array<vec4<f32>, FOURS>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_line = (workgroups.y - 1u - workgroup.y) * LINES;
  let span = span_of(first_line, lane);
  let rows = span.rows;
  let begin = span.begin;
  let end = span.end;
  let group = workgroup.x;
  if (first_line / GROUP_HEADS >= rows) {
    return;
  }

  for (var i = lane; i < LINES * QUADS; i += WORKGROUP_SIZE) {
    let line = first_line + i / QUADS;
    let row = min(line / GROUP_HEADS, rows - 1u);
    let query = qkv[query_at(row, group * GROUP_HEADS + line % GROUP_HEADS) + i % QUADS];
    kept[i / QUADS * LINE + i % QUADS] = query * inverseSqrt(f32(HEAD_DIM));
  }
  let four = lane % FOURS;
  let part = lane / FOURS;
  let lines = lines_of(first_line, four);
  let line_rows = rows_of(lines, rows);
  var highest = vec4<f32>(LOWEST);
  var total = vec4<f32>();
  let quad = lane % QUADS;
  let first_four = lane / QUADS * OWN_FOURS;
  var sums: array<mat4x4<f32>, OWN_FOURS>;
  let beginning = seen_from(0u, begin);
  var next_keys = load_keys(group, beginning, end, lane);
  for (var first = beginning; first < end; first = seen_from(first + KEYS, begin)) {
    workgroupBarrier();
    store_tile(0u, next_keys, lane);
    workgroupBarrier();
    let next_values = load_values(group, first, end, lane);
    var scores = array<vec4<f32>, OWN_KEYS>();
    var largest = highest;
    for (var k = 0u; k < OWN_KEYS; k++) {
      let key = part + k * PARTS;
      if (key < KEYS) {
        let seen = sees(line_rows, vec4<u32>(first + key));
        scores[k] = select(vec4<f32>(LOWEST), products(four, key), seen);
        largest = max(largest, scores[k]);
      }
    }
    partial[lane] = largest;
    workgroupBarrier();

    store_tile(0u, next_values, lane);
    next_keys = load_keys(group, seen_from(first + KEYS, begin), end, lane);
    for (var k = 0u; k < PARTS; k++) {
      largest = max(largest, partial[four + k * FOURS]);
    }
    let factor = exp(highest - largest);
    highest = largest;
    total *= factor;
    if (part == 0u) {
      rescale[four] = factor;
    }
    for (var k = 0u; k < OWN_KEYS; k++) {
      let key = part + k * PARTS;
      if (key < KEYS) {
        // A line may have seen nothing yet, and then `largest` is no score.
        let weight = select(vec4<f32>(), exp(scores[k] - largest), scores[k] > vec4<f32>(LOWEST));
        weights[key * FOURS + four] = weight;
        total += weight;
      }
    }
    workgroupBarrier();

    for (var k = 0u; k < OWN_FOURS; k++) {
      let before = rescale[min(first_four + k, FOURS - 1u)];
      sums[k] = mat4x4<f32>(before.x * sums[k][0], before.y * sums[k][1], before.z * sums[k][2], before.w * sums[k][3]);
    }
    for (var j = 0u; j < KEYS; j++) {
      let value = passing[j * LINE + quad];
      for (var k = 0u; k < OWN_FOURS; k++) {
        let weight = weights[j * FOURS + min(first_four + k, FOURS - 1u)];
        sums[k] += times(weight, value);
      }
    }
  }

  workgroupBarrier();
  partial[lane] = total;
  workgroupBarrier();
  if (part == 0u) {
    for (var k = 1u; k < PARTS; k++) {
      total += partial[four + k * FOURS];
    }
    rescale[four] = 1.0 / total;
    let logarithms = highest + log(total);
    for (var i = 0u; i < 4u; i++) {
      let row = lines[i] / GROUP_HEADS;
      if (row < rows) {
        log_sum_exp[row * HEADS + group * GROUP_HEADS + lines[i] % GROUP_HEADS] = logarithms[i];
      }
    }
  }
  workgroupBarrier();
  for (var k = 0u; k < OWN_FOURS; k++) {
    let own_four = first_four + k;
    let own_lines = lines_of(first_line, own_four);
    for (var i = 0u; i < 4u; i++) {
      let row = own_lines[i] / GROUP_HEADS;
      if (own_four < FOURS && row < rows) {
        let to = (row * HEADS + group * GROUP_HEADS + own_lines[i] % GROUP_HEADS) * QUADS + quad;
        y[to] = sums[k][i] * rescale[own_four][i];
      }
    }
  }
}
