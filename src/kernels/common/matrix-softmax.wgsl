// The softmax of attention on subgroup matrices (matrix-tiles.wgsl), taken online: a workgroup has 64 lines (pairs of a row
// and a head of a group), each of its 4 subgroups 16. A subgroup matrix cannot be scaled line by line, so the sums of a line
// keep the reference score they began with as long as no score exceeds it by more than SLACK (the weights stay within f16),
// and are only then scaled in workgroup memory: this happens for the first tile and seldom after it.
//
// The kernel, or a module of it, says where the results [rows, HEADS * 128] go: write_octet.

const LINES = 64u;
const LOWEST = -3.4e38;
// In powers of two: weights up to 2^12 leave room for sums in f16's range of 2^16 and keep 11 bits down to 2^-14.
const SLACK = 12.0;

// First the queries, then keys in the first 32 lines and values in the others.
var<workgroup> tile: array<vec4<u32>, LINES * LINE>;
var<workgroup> scores: array<vec4<f32>, LINES * SCORE_LINE>;
var<workgroup> weights: array<vec4<u32>, LINES * WEIGHT_LINE>;
// Whether some line of a subgroup needs its sums scaled.
var<workgroup> exceeded: array<u32, 4>;

fn largest(v: vec4<f32>) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

// Multiplies the lines of a matrix by factors, which the two invocations of each line give.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn scaled(sums: Result, factor: f32, own_scores: u32, lane: u32) -> Result {
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scores, own_scores, sums, SCORE_LINE);
  workgroupBarrier();
  let at = lane / 2u * SCORE_LINE + lane % 2u * 2u;
  scores[at] *= factor;
  scores[at + 1u] *= factor;
  workgroupBarrier();
  return subgroupMatrixLoad<Result, row_major>(&scores, own_scores, SCORE_LINE);
}

// Writes 16 columns of the result, from `column` (in words of 16 bytes) on.
@diagnostic(off, chromium.subgroup_matrix_uniformity)
fn finish(sums: Result, column: u32, factor: f32, row: u32, head: u32, written: bool, own_scores: u32, lane: u32) {
  workgroupBarrier();
  subgroupMatrixStore<row_major>(&scores, own_scores, sums, SCORE_LINE);
  workgroupBarrier();
  if (written) {
    let at = lane / 2u * SCORE_LINE + lane % 2u * 2u;
    write_octet(row, head * 16u + column / 2u + lane % 2u, scores[at] * factor, scores[at + 1u] * factor);
  }
}
