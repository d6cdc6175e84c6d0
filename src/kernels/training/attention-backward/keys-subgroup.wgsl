// The gradient of attention by its keys and values on subgroup matrices, for heads of 128. With the weights and their
// gradients of queries-subgroup.wgsl, for each row c of keys and values:
//   dk = sum_lines ds[c] q / sqrt(128)
//   dv = sum_lines p[c] dy,   over the rows that see c and the heads of its group
//
// sequence_length  [1]                                      u32, rows that belong to the sequence
// packed_keys      [PREFIX + MAX_ROWS, 2, KV_GROUPS * 128]  f16, eight to a word of 16 bytes: of common/pack-keys.wgsl
// lines,facts      of pack-lines.wgsl
// parts            [SPLITS, PREFIX + MAX_ROWS, 2, KV_GROUPS * 128]  f32, dk and dv of a part of a group's heads
//
// On the tiles of common/matrix-tiles.wgsl: a workgroup has 32 keys and values; 32 lines at a time (split-lines.wgsl) go
// through workgroup memory. Of its 4 subgroups, two share 16 keys: for the scores, each has 16 of the lines; for the sums,
// 64 of the columns. p and ds are rounded to f16. Gradients of lines are scaled by different powers of two: p and ds are
// scaled to what is common to all before they meet them.
//
// The first four buffers are not written: they lie in the same one as parts, which WebGPU wants to have one use in a
// dispatch.
//
// Dispatch: groups times splits in x, tiles of keys in y.

@group(0) @binding(0) var<storage, read> sequence_length: array<u32>;
@group(0) @binding(1) var<storage, read_write> packed_keys: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> lines: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> facts: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;

// p is at most 1, and ds is as in queries-subgroup.wgsl.
const P_SCALE = 4096.0;
const DS_SCALE = 16.0;

// Queries in the first 32 lines and gradients in the others; before them, keys and values.
var<workgroup> tile: array<vec4<u32>, 2u * LINES * LINE>;
// For each subgroup 16 keys by 16 lines: their scores, and beside them the gradients of their weights.
var<workgroup> scores: array<vec4<f32>, WORKGROUP_SIZE / 2u * SCORE_LINE>;
var<workgroup> weights: array<vec4<u32>, KEYS * WEIGHT_LINE>;
var<workgroup> dscores: array<vec4<u32>, KEYS * WEIGHT_LINE>;
// For each line: log_sum_exp, delta, the factor to the common scale, and behind which row its keys end.
var<workgroup> line_facts: array<vec4<f32>, LINES>;
var<workgroup> shared_rows: u32;

// Writes 16 columns of dk or dv, from `to` on (in words of 16 bytes).
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn finish(sums: Result, to: u32, factor: f32, written: bool, own_scores: u32, lane: u32) {
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scores, own_scores, sums, SCORE_LINE);
  workgroupBarrier();
  if (written) {
    let at = lane / 2u * SCORE_LINE + lane % 2u * 2u;
    parts[to] = scores[at] * factor;
    parts[to + 1u] = scores[at + 1u] * factor;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (lane == 0u) {
    shared_rows = min(sequence_length[0], MAX_ROWS);
  }
  let rows = workgroupUniformLoad(&shared_rows);
  let group = workgroup.x / SPLITS;
  let split = workgroup.x % SPLITS;
  let first_head = group * GROUP_HEADS + split * SPLIT_HEADS;
  let first_key = workgroup.y * KEYS;
  if (first_key >= PREFIX + rows) {
    return;
  }

  // The highest exponent of all rows.
  var own_highest = 0.0;
  for (var row = lane; row < rows; row += WORKGROUP_SIZE) {
    own_highest = max(own_highest, facts[row * HEADS].w);
  }
  scores[lane].x = own_highest;
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      scores[lane].x = max(scores[lane].x, scores[lane + half].x);
    }
  }
  workgroupBarrier();
  let highest = u32(scores[0].x);

  // Keys and values behind the end are zero: what lies there may be no number.
  for (var i = 0u; i < 4u; i++) {
    let c = first_key + lane / 16u + i * 8u;
    let source = (c * 2u * KV_GROUPS + group) * 16u + lane % 16u;
    let to = (lane / 16u + i * 8u) * LINE + lane % 16u;
    var key = vec4<u32>();
    var value = vec4<u32>();
    if (c < PREFIX + rows) {
      key = packed_keys[source];
      value = packed_keys[source + KV_GROUPS * 16u];
    }
    tile[to] = key;
    tile[LINES * LINE + to] = value;
  }
  workgroupBarrier();
  // Which 16 keys a subgroup has, and which half of the lines or columns.
  let block = lane / 64u * 16u;
  let half = lane / 32u % 2u;
  let k0 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 0u, LINE);
  let k1 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 2u, LINE);
  let k2 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 4u, LINE);
  let k3 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 6u, LINE);
  let k4 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 8u, LINE);
  let k5 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 10u, LINE);
  let k6 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 12u, LINE);
  let k7 = subgroupMatrixLoad<Left, row_major>(&tile, block * LINE + 14u, LINE);
  let v0 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 0u, LINE);
  let v1 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 2u, LINE);
  let v2 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 4u, LINE);
  let v3 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 6u, LINE);
  let v4 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 8u, LINE);
  let v5 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 10u, LINE);
  let v6 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 12u, LINE);
  let v7 = subgroupMatrixLoad<Left, row_major>(&tile, (LINES + block) * LINE + 14u, LINE);
  var dk0: Result;
  var dk1: Result;
  var dk2: Result;
  var dk3: Result;
  var dv0: Result;
  var dv1: Result;
  var dv2: Result;
  var dv3: Result;

  let own_scores = lane / 32u * 16u * SCORE_LINE;
  // Outside of products, two invocations share a key: each has 8 of the 16 lines.
  let key = lane % 32u / 2u;
  let part = lane % 2u;
  let c = f32(first_key + block + key);
  let own_line = half * 16u + part * 8u;

  // Of the first row that sees one of the keys.
  let first_line = (max(first_key, PREFIX) - PREFIX) * SPLIT_HEADS;
  let end = rows * SPLIT_HEADS;
  var next = load_tile(first_head, first_line, end, lane);
  for (var first = first_line; first < end; first += LINES) {
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      let to = (lane / 16u + i * 8u) * LINE + lane % 16u;
      tile[to] = next.queries[i];
      tile[LINES * LINE + to] = next.gradients[i];
    }
    if (lane < LINES) {
      line_facts[lane] = vec4<f32>(next.fact.xy, ratio(next.fact.z, highest), next.fact.w);
    }
    workgroupBarrier();
    next = load_tile(first_head, first + LINES, end, lane);

    // The zeros are written out, because some compilers give them only to the first turn of a loop.
    var s = Result();
    var d = Result();
    s = subgroupMatrixMultiplyAccumulate(k0, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 0u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v0, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 0u, LINE), d);
    s = subgroupMatrixMultiplyAccumulate(k1, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 2u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v1, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 2u, LINE), d);
    s = subgroupMatrixMultiplyAccumulate(k2, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 4u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v2, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 4u, LINE), d);
    s = subgroupMatrixMultiplyAccumulate(k3, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 6u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v3, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 6u, LINE), d);
    s = subgroupMatrixMultiplyAccumulate(k4, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 8u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v4, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 8u, LINE), d);
    s = subgroupMatrixMultiplyAccumulate(k5, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 10u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v5, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 10u, LINE), d);
    s = subgroupMatrixMultiplyAccumulate(k6, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 12u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v6, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 12u, LINE), d);
    s = subgroupMatrixMultiplyAccumulate(k7, subgroupMatrixLoad<Right, col_major>(&tile, half * 16u * LINE + 14u, LINE), s);
    d = subgroupMatrixMultiplyAccumulate(v7, subgroupMatrixLoad<Right, col_major>(&tile, (LINES + half * 16u) * LINE + 14u, LINE), d);
    subgroupMatrixStore<row_major>(&scores, own_scores, s, SCORE_LINE);
    subgroupMatrixStore<row_major>(&scores, own_scores + 4u, d, SCORE_LINE);
    workgroupBarrier();

    var p = array<vec4<f32>, 2>();
    var ds = array<vec4<f32>, 2>();
    for (var i = 0u; i < 2u; i++) {
      let at = own_scores + key * SCORE_LINE + part * 2u + i;
      let score = scores[at];
      let product = scores[at + 4u];
      for (var j = 0u; j < 4u; j++) {
        let fact = line_facts[own_line + i * 4u + j];
        let weight = select(0.0, exp2(score[j] - fact.x) * fact.z, c < fact.w);
        p[i][j] = weight * P_SCALE;
        ds[i][j] = weight * (product[j] - fact.y) * DS_SCALE;
      }
    }
    weights[(block + key) * WEIGHT_LINE + half * 2u + part] = pack(p[0], p[1]);
    dscores[(block + key) * WEIGHT_LINE + half * 2u + part] = pack(ds[0], ds[1]);
    workgroupBarrier();

    let w0 = subgroupMatrixLoad<Left, row_major>(&weights, block * WEIGHT_LINE, WEIGHT_LINE);
    let w1 = subgroupMatrixLoad<Left, row_major>(&weights, block * WEIGHT_LINE + 2u, WEIGHT_LINE);
    dv0 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, (LINES) * LINE + half * 8u + 0u, LINE), dv0);
    dv0 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (LINES + 16u) * LINE + half * 8u + 0u, LINE), dv0);
    dv1 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, (LINES) * LINE + half * 8u + 2u, LINE), dv1);
    dv1 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (LINES + 16u) * LINE + half * 8u + 2u, LINE), dv1);
    dv2 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, (LINES) * LINE + half * 8u + 4u, LINE), dv2);
    dv2 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (LINES + 16u) * LINE + half * 8u + 4u, LINE), dv2);
    dv3 = subgroupMatrixMultiplyAccumulate(w0, subgroupMatrixLoad<Right, row_major>(&tile, (LINES) * LINE + half * 8u + 6u, LINE), dv3);
    dv3 = subgroupMatrixMultiplyAccumulate(w1, subgroupMatrixLoad<Right, row_major>(&tile, (LINES + 16u) * LINE + half * 8u + 6u, LINE), dv3);
    let e0 = subgroupMatrixLoad<Left, row_major>(&dscores, block * WEIGHT_LINE, WEIGHT_LINE);
    let e1 = subgroupMatrixLoad<Left, row_major>(&dscores, block * WEIGHT_LINE + 2u, WEIGHT_LINE);
    dk0 = subgroupMatrixMultiplyAccumulate(e0, subgroupMatrixLoad<Right, row_major>(&tile, half * 8u + 0u, LINE), dk0);
    dk0 = subgroupMatrixMultiplyAccumulate(e1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + half * 8u + 0u, LINE), dk0);
    dk1 = subgroupMatrixMultiplyAccumulate(e0, subgroupMatrixLoad<Right, row_major>(&tile, half * 8u + 2u, LINE), dk1);
    dk1 = subgroupMatrixMultiplyAccumulate(e1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + half * 8u + 2u, LINE), dk1);
    dk2 = subgroupMatrixMultiplyAccumulate(e0, subgroupMatrixLoad<Right, row_major>(&tile, half * 8u + 4u, LINE), dk2);
    dk2 = subgroupMatrixMultiplyAccumulate(e1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + half * 8u + 4u, LINE), dk2);
    dk3 = subgroupMatrixMultiplyAccumulate(e0, subgroupMatrixLoad<Right, row_major>(&tile, half * 8u + 6u, LINE), dk3);
    dk3 = subgroupMatrixMultiplyAccumulate(e1, subgroupMatrixLoad<Right, row_major>(&tile, 16u * LINE + half * 8u + 6u, LINE), dk3);
  }

  let unscale = bitcast<f32>(max(highest, 1u) << 23u);
  let row = first_key + block + key;
  let written = row < PREFIX + rows;
  let to = ((split * (PREFIX + MAX_ROWS) + row) * 2u * KV_GROUPS + group) * 32u + half * 16u + part * 2u;
  // Queries are in powers of two.
  let key_factor = unscale * (1.0 / DS_SCALE / LOG2_E);
  finish(dk0, to, key_factor, written, own_scores, lane);
  finish(dk1, to + 4u, key_factor, written, own_scores, lane);
  finish(dk2, to + 8u, key_factor, written, own_scores, lane);
  finish(dk3, to + 12u, key_factor, written, own_scores, lane);
  let value_factor = unscale / P_SCALE;
  let value_to = to + KV_GROUPS * 32u;
  finish(dv0, value_to, value_factor, written, own_scores, lane);
  finish(dv1, value_to + 4u, value_factor, written, own_scores, lane);
  finish(dv2, value_to + 8u, value_factor, written, own_scores, lane);
  finish(dv3, value_to + 12u, value_factor, written, own_scores, lane);
}
