// Attention of a sequence behind a prefix, for training, on subgroup matrices, for heads of 128:
//   s[c]        = q . keys[c] / sqrt(128),   c = 0 .. PREFIX + row
//   log_sum_exp = log(sum_c exp(s[c]))
//   y           = sum_c exp(s[c] - log_sum_exp) values[c]
//
// Length, keys and values: common/packed-keys.wgsl (bindings 0 and 1)
// qkv              [MAX_ROWS, (HEADS + 2 KV_GROUPS) * 128]  f32, after RoPE; the queries are read
// y                [MAX_ROWS, HEADS * 128]                  f32
// log_sum_exp      [MAX_ROWS, HEADS]                        f32
//
// The structure is that of attention-prefill/attention-subgroup.wgsl, which says what shapes it, on the tiles of
// common/matrix-tiles.wgsl with the softmax of common/matrix-softmax.wgsl. Queries, keys, values and weights are rounded to
// f16, all sums are f32.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(2) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

fn write_octet(row: u32, octet: u32, low: vec4<f32>, high: vec4<f32>) {
  let to = (row * HEADS * 16u + octet) * 2u;
  y[to] = low;
  y[to + 1u] = high;
}

var<workgroup> shared_rows: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
@diagnostic(off, subgroup_uniformity)
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
  let subgroup_line = lane / 32u * 16u;
  let own_scores = subgroup_line * SCORE_LINE;
  // Outside of products, two invocations share a line: each has 16 of the 32 keys.
  let line = lane / 2u;
  let part = lane % 2u;
  let written = (first_line + line) / GROUP_HEADS < rows;
  let row = min((first_line + line) / GROUP_HEADS, rows - 1u);
  let head = group * GROUP_HEADS + (first_line + line) % GROUP_HEADS;
  let line_end = PREFIX + row + 1u;
  let end = PREFIX + min((first_line + LINES - 1u) / GROUP_HEADS, rows - 1u) + 1u;

  // The factor turns exp into exp2.
  let query_scale = inverseSqrt(128.0) * LOG2_E;
  for (var i = 0u; i < 8u; i++) {
    let source = (row * (HEADS + 2u * KV_GROUPS) + head) * 32u + part * 16u + 2u * i;
    tile[line * LINE + part * 8u + i] = pack(qkv[source] * query_scale, qkv[source + 1u] * query_scale);
  }
  workgroupBarrier();
  let q0 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 0u, LINE);
  let q1 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 2u, LINE);
  let q2 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 4u, LINE);
  let q3 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 6u, LINE);
  let q4 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 8u, LINE);
  let q5 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 10u, LINE);
  let q6 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 12u, LINE);
  let q7 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 14u, LINE);
  var o0: Result;
  var o1: Result;
  var o2: Result;
  var o3: Result;
  var o4: Result;
  var o5: Result;
  var o6: Result;
  var o7: Result;
  var reference = LOWEST;
  var total = 0.0;

  var next = load_tile(group, 0u, end, lane);
  for (var first = 0u; first < end; first += KEYS) {
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      let to = (lane / 16u + i * 8u) * LINE + lane % 16u;
      tile[to] = next.keys[i];
      tile[KEYS * LINE + to] = next.values[i];
    }
    workgroupBarrier();
    next = load_tile(group, first + KEYS, end, lane);

    // The zeros are written out, because some compilers give them only to the first turn of a loop.
    var s0 = Result();
    var s1 = Result();
    s0 = subgroupMatrixMultiplyAccumulate(q0, subgroupMatrixLoad<Right, col_major>(&tile, 0u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q0, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 0u, LINE), s1);
    s0 = subgroupMatrixMultiplyAccumulate(q1, subgroupMatrixLoad<Right, col_major>(&tile, 2u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q1, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 2u, LINE), s1);
    s0 = subgroupMatrixMultiplyAccumulate(q2, subgroupMatrixLoad<Right, col_major>(&tile, 4u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q2, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 4u, LINE), s1);
    s0 = subgroupMatrixMultiplyAccumulate(q3, subgroupMatrixLoad<Right, col_major>(&tile, 6u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q3, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 6u, LINE), s1);
    s0 = subgroupMatrixMultiplyAccumulate(q4, subgroupMatrixLoad<Right, col_major>(&tile, 8u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q4, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 8u, LINE), s1);
    s0 = subgroupMatrixMultiplyAccumulate(q5, subgroupMatrixLoad<Right, col_major>(&tile, 10u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q5, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 10u, LINE), s1);
    s0 = subgroupMatrixMultiplyAccumulate(q6, subgroupMatrixLoad<Right, col_major>(&tile, 12u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q6, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 12u, LINE), s1);
    s0 = subgroupMatrixMultiplyAccumulate(q7, subgroupMatrixLoad<Right, col_major>(&tile, 14u, LINE), s0);
    s1 = subgroupMatrixMultiplyAccumulate(q7, subgroupMatrixLoad<Right, col_major>(&tile, 16u * LINE + 14u, LINE), s1);
    subgroupMatrixStore<row_major>(&scores, own_scores, s0, SCORE_LINE);
    subgroupMatrixStore<row_major>(&scores, own_scores + 4u, s1, SCORE_LINE);
    workgroupBarrier();

    var s = array<vec4<f32>, 4>();
    var highest = LOWEST;
    for (var i = 0u; i < 4u; i++) {
      let c = vec4<u32>(first + part * 16u + i * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
      let score = scores[line * SCORE_LINE + part * 4u + i];
      s[i] = select(vec4<f32>(LOWEST), score, c < vec4<u32>(line_end));
      highest = max(highest, largest(s[i]));
    }
    highest = max(highest, subgroupShuffleXor(highest, 1u));
    let exceeds = subgroupAny(highest > reference + SLACK);
    if (lane % 32u == 0u) {
      exceeded[lane / 32u] = u32(exceeds);
    }
    let scale_now = workgroupUniformLoad(&exceeded);
    if ((scale_now[0] | scale_now[1] | scale_now[2] | scale_now[3]) != 0u) {
      let raised = max(reference, highest);
      let factor = exp2(reference - raised);
      reference = raised;
      total *= factor;
      o0 = scaled(o0, factor, own_scores, lane);
      o1 = scaled(o1, factor, own_scores, lane);
      o2 = scaled(o2, factor, own_scores, lane);
      o3 = scaled(o3, factor, own_scores, lane);
      o4 = scaled(o4, factor, own_scores, lane);
      o5 = scaled(o5, factor, own_scores, lane);
      o6 = scaled(o6, factor, own_scores, lane);
      o7 = scaled(o7, factor, own_scores, lane);
    }
    var sum = vec4<f32>();
    for (var i = 0u; i < 4u; i++) {
      s[i] = exp2(s[i] - reference);
      sum += s[i];
    }
    total += dot(sum, vec4<f32>(1.0));
    weights[line * WEIGHT_LINE + part * 2u] = pack(s[0], s[1]);
    weights[line * WEIGHT_LINE + part * 2u + 1u] = pack(s[2], s[3]);
    workgroupBarrier();

    let w0 = subgroupMatrixLoad<Left, row_major>(&weights, subgroup_line * WEIGHT_LINE, WEIGHT_LINE);
    let w1 = subgroupMatrixLoad<Left, row_major>(&weights, subgroup_line * WEIGHT_LINE + 2u, WEIGHT_LINE);
    o0 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 0u, LINE), o0);
    o0 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 0u, LINE), o0);
    o1 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 2u, LINE), o1);
    o1 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 2u, LINE), o1);
    o2 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 4u, LINE), o2);
    o2 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 4u, LINE), o2);
    o3 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 6u, LINE), o3);
    o3 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 6u, LINE), o3);
    o4 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 8u, LINE), o4);
    o4 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 8u, LINE), o4);
    o5 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 10u, LINE), o5);
    o5 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 10u, LINE), o5);
    o6 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 12u, LINE), o6);
    o6 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 12u, LINE), o6);
    o7 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, KEYS * LINE + 14u, LINE), o7);
    o7 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (KEYS + 16u) * LINE + 14u, LINE), o7);
  }
  total += subgroupShuffleXor(total, 1u);
  if (written && part == 0u) {
    log_sum_exp[row * HEADS + head] = (reference + log2(total)) / LOG2_E;
  }
  finish(o0, 0u, 1.0 / total, row, head, written, own_scores, lane);
  finish(o1, 4u, 1.0 / total, row, head, written, own_scores, lane);
  finish(o2, 8u, 1.0 / total, row, head, written, own_scores, lane);
  finish(o3, 12u, 1.0 / total, row, head, written, own_scores, lane);
  finish(o4, 16u, 1.0 / total, row, head, written, own_scores, lane);
  finish(o5, 20u, 1.0 / total, row, head, written, own_scores, lane);
  finish(o6, 24u, 1.0 / total, row, head, written, own_scores, lane);
  finish(o7, 28u, 1.0 / total, row, head, written, own_scores, lane);
}
