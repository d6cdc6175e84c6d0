// The gradient of attention by its queries on subgroup matrices, for heads of 128. With p[c] = exp(s[c] - log_sum_exp):
//   ds[c] = p[c] (dy . values[c] - delta)
//   dq    = sum_c ds[c] keys[c] / sqrt(128)
//
// Length, keys and values: common/packed-keys.wgsl (bindings 0 and 1)
// lines,facts      of pack-lines.wgsl
// dqkv             [MAX_ROWS, (HEADS + 2 KV_GROUPS) * 128]  f32, of which the queries are written
//
// The structure is that of attention-training/attention-training-subgroup.wgsl, on the tiles of common/matrix-tiles.wgsl: a
// workgroup has 64 lines, each of its 4 subgroups 16. ds is rounded to f16 as the gradients are scaled: per line.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(2) var<storage, read> lines: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> facts: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> dqkv: array<vec4<f32>>;

const LINES = 64u;
// With gradients of up to 2, ds stays within f16 for values of up to 2^6 at the very worst, and keeps 11 bits down to 2^-18.
const DS_SCALE = 16.0;

// First the queries, then their gradients, then keys in the first 32 lines and values in the others.
var<workgroup> tile: array<vec4<u32>, LINES * LINE>;
// Of the scores, and then of the gradients of the weights.
var<workgroup> scores: array<vec4<f32>, LINES * SCORE_LINE>;
var<workgroup> dscores: array<vec4<u32>, LINES * WEIGHT_LINE>;
var<workgroup> shared_rows: u32;

// Writes 16 columns of dq, from `column` (in words of 16 bytes) on.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn finish(sums: Result, column: u32, factor: f32, row: u32, head: u32, written: bool, own_scores: u32, lane: u32) {
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scores, own_scores, sums, SCORE_LINE);
  workgroupBarrier();
  if (written) {
    let at = lane / 2u * SCORE_LINE + lane % 2u * 2u;
    let to = (row * (HEADS + 2u * KV_GROUPS) + head) * 32u + column + lane % 2u * 2u;
    dqkv[to] = scores[at] * factor;
    dqkv[to + 1u] = scores[at + 1u] * factor;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
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

  let fact = facts[row * HEADS + head];

  for (var i = 0u; i < 8u; i++) {
    tile[line * LINE + part * 8u + i] = lines[(row * HEADS + head) * 16u + part * 8u + i];
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
  workgroupBarrier();
  for (var i = 0u; i < 8u; i++) {
    tile[line * LINE + part * 8u + i] = lines[((MAX_ROWS + row) * HEADS + head) * 16u + part * 8u + i];
  }
  workgroupBarrier();
  let g0 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 0u, LINE);
  let g1 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 2u, LINE);
  let g2 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 4u, LINE);
  let g3 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 6u, LINE);
  let g4 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 8u, LINE);
  let g5 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 10u, LINE);
  let g6 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 12u, LINE);
  let g7 = subgroupMatrixLoad<Left, row_major>(&tile, subgroup_line * LINE + 14u, LINE);
  var dq0: Result;
  var dq1: Result;
  var dq2: Result;
  var dq3: Result;
  var dq4: Result;
  var dq5: Result;
  var dq6: Result;
  var dq7: Result;

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
    var d0 = Result();
    var d1 = Result();
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
    d0 = subgroupMatrixMultiplyAccumulate(g0, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 0u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g0, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 0u, LINE), d1);
    d0 = subgroupMatrixMultiplyAccumulate(g1, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 2u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g1, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 2u, LINE), d1);
    d0 = subgroupMatrixMultiplyAccumulate(g2, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 4u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g2, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 4u, LINE), d1);
    d0 = subgroupMatrixMultiplyAccumulate(g3, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 6u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g3, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 6u, LINE), d1);
    d0 = subgroupMatrixMultiplyAccumulate(g4, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 8u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g4, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 8u, LINE), d1);
    d0 = subgroupMatrixMultiplyAccumulate(g5, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 10u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g5, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 10u, LINE), d1);
    d0 = subgroupMatrixMultiplyAccumulate(g6, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 12u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g6, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 12u, LINE), d1);
    d0 = subgroupMatrixMultiplyAccumulate(g7, subgroupMatrixLoad<Right, col_major>(&tile, KEYS * LINE + 14u, LINE), d0);
    d1 = subgroupMatrixMultiplyAccumulate(g7, subgroupMatrixLoad<Right, col_major>(&tile, (KEYS + 16u) * LINE + 14u, LINE), d1);
    workgroupBarrier();
    var p = array<vec4<f32>, 4>();
    for (var i = 0u; i < 4u; i++) {
      let c = vec4<u32>(first + part * 16u + i * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
      let weight = exp2(scores[line * SCORE_LINE + part * 4u + i] - fact.x);
      p[i] = select(vec4<f32>(), weight * DS_SCALE, c < vec4<u32>(line_end));
    }
    workgroupBarrier();
    subgroupMatrixStore<row_major>(&scores, own_scores, d0, SCORE_LINE);
    subgroupMatrixStore<row_major>(&scores, own_scores + 4u, d1, SCORE_LINE);
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      p[i] *= scores[line * SCORE_LINE + part * 4u + i] - fact.y;
    }
    dscores[line * WEIGHT_LINE + part * 2u] = pack(p[0], p[1]);
    dscores[line * WEIGHT_LINE + part * 2u + 1u] = pack(p[2], p[3]);
    workgroupBarrier();

    let w0 = subgroupMatrixLoad<Left, row_major>(&dscores, subgroup_line * WEIGHT_LINE, WEIGHT_LINE);
    let w1 = subgroupMatrixLoad<Left, row_major>(&dscores, subgroup_line * WEIGHT_LINE + 2u, WEIGHT_LINE);
    dq0 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 0u, LINE), dq0);
    dq0 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 0u, LINE), dq0);
    dq1 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 2u, LINE), dq1);
    dq1 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 2u, LINE), dq1);
    dq2 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 4u, LINE), dq2);
    dq2 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 4u, LINE), dq2);
    dq3 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 6u, LINE), dq3);
    dq3 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 6u, LINE), dq3);
    dq4 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 8u, LINE), dq4);
    dq4 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 8u, LINE), dq4);
    dq5 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 10u, LINE), dq5);
    dq5 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 10u, LINE), dq5);
    dq6 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 12u, LINE), dq6);
    dq6 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 12u, LINE), dq6);
    dq7 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, 14u, LINE), dq7);
    dq7 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + 14u, LINE), dq7);
  }
  let factor = bitcast<f32>(u32(fact.z) << 23u) * (inverseSqrt(128.0) / DS_SCALE);
  finish(dq0, 0u, factor, row, head, written, own_scores, lane);
  finish(dq1, 4u, factor, row, head, written, own_scores, lane);
  finish(dq2, 8u, factor, row, head, written, own_scores, lane);
  finish(dq3, 12u, factor, row, head, written, own_scores, lane);
  finish(dq4, 16u, factor, row, head, written, own_scores, lane);
  finish(dq5, 20u, factor, row, head, written, own_scores, lane);
  finish(dq6, 24u, factor, row, head, written, own_scores, lane);
  finish(dq7, 28u, factor, row, head, written, own_scores, lane);
}
