// The gradient of attention by its queries, in f32 on any adapter. With the weights p[c] = exp(s[c] - log_sum_exp):
//   ds[c] = p[c] (dy . values[c] - delta)
//   dq    = sum_c ds[c] keys[c] / sqrt(HEAD_DIM)
//
// Lengths, queries, keys and values: common/prefixed-keys.wgsl (bindings 0 to 2).
// dy           [MAX_ROWS, HEADS * HEAD_DIM]                    f32
// log_sum_exp  [MAX_ROWS, HEADS]                               f32, of the forward pass
// delta        [MAX_ROWS, HEADS]                               f32, of delta.wgsl
// dqkv         [MAX_ROWS, (HEADS + 2 KV_GROUPS) * HEAD_DIM]    f32, of which the queries are written
//
// The tiles are those of common/fours.wgsl and common/kept-queries.wgsl: queries and then their gradients are kept, keys and
// then their values pass. The next tile is on its way from storage to registers meanwhile. One part of the invocations
// computes scores, the other the gradients of weights.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<vec4<f32>>;

const KEPT = 2u * LINES;
const PASSING = 2u * KEYS;

// Of a key and a four of lines: weights, and what they are multiplied by to give ds.
var<workgroup> weights: array<vec4<f32>, KEYS * FOURS>;
var<workgroup> dweights: array<vec4<f32>, KEYS * FOURS>;
// Of each four: the rows of its lines, log_sum_exp and delta.
var<workgroup> line_rows: array<vec4<u32>, FOURS>;
var<workgroup> line_sums: array<vec4<f32>, FOURS>;
var<workgroup> line_deltas: array<vec4<f32>, FOURS>;

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
  let scale = inverseSqrt(f32(HEAD_DIM));

  for (var i = lane; i < LINES * QUADS; i += WORKGROUP_SIZE) {
    let line = first_line + i / QUADS;
    let row = min(line / GROUP_HEADS, rows - 1u);
    let head = group * GROUP_HEADS + line % GROUP_HEADS;
    let to = i / QUADS * LINE + i % QUADS;
    kept[to] = qkv[query_at(row, head) + i % QUADS] * scale;
    kept[LINES * LINE + to] = dy[(row * HEADS + head) * QUADS + i % QUADS];
  }
  if (lane < FOURS) {
    let lines = lines_of(first_line, lane);
    let four_rows = rows_of(lines, rows);
    let at = four_rows * HEADS + group * GROUP_HEADS + lines % GROUP_HEADS;
    line_rows[lane] = four_rows;
    line_sums[lane] = vec4<f32>(log_sum_exp[at.x], log_sum_exp[at.y], log_sum_exp[at.z], log_sum_exp[at.w]);
    line_deltas[lane] = vec4<f32>(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
  }
  let quad = lane % QUADS;
  let first_four = lane / QUADS * OWN_FOURS;
  var sums: array<mat4x4<f32>, OWN_FOURS>;
  let beginning = seen_from(0u, begin);
  var next_keys = load_keys(group, beginning, end, lane);
  var next_values = load_values(group, beginning, end, lane);
  for (var first = beginning; first < end; first = seen_from(first + KEYS, begin)) {
    workgroupBarrier();
    store_tile(0u, next_keys, lane);
    store_tile(KEYS, next_values, lane);
    workgroupBarrier();
    next_keys = load_keys(group, seen_from(first + KEYS, begin), end, lane);
    next_values = load_values(group, seen_from(first + KEYS, begin), end, lane);

    for (var i = lane; i < 2u * FOURS * KEYS; i += WORKGROUP_SIZE) {
      let at = i % (FOURS * KEYS);
      let four = at % FOURS;
      let key = at / FOURS;
      if (i == at) {
        let seen = sees(line_rows[four], vec4<u32>(first + key));
        weights[at] = select(vec4<f32>(), exp(products(four, key) - line_sums[four]), seen);
      } else {
        dweights[at] = products(LINES + four, KEYS + key) - line_deltas[four];
      }
    }
    workgroupBarrier();

    for (var j = 0u; j < KEYS; j++) {
      let key = passing[j * LINE + quad];
      for (var k = 0u; k < OWN_FOURS; k++) {
        let at = j * FOURS + min(first_four + k, FOURS - 1u);
        let ds = weights[at] * dweights[at];
        sums[k] += times(ds, key);
      }
    }
  }

  for (var k = 0u; k < OWN_FOURS; k++) {
    let four = first_four + k;
    let lines = lines_of(first_line, four);
    for (var part = 0u; part < 4u; part++) {
      let row = lines[part] / GROUP_HEADS;
      if (four < FOURS && row < rows) {
        dqkv[query_at(row, group * GROUP_HEADS + lines[part] % GROUP_HEADS) + quad] = sums[k][part] * scale;
      }
    }
  }
}
