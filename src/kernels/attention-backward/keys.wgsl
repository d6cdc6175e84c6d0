// The gradient of attention by its keys and values, in f32 on any adapter. With the weights and their gradients of
// queries.wgsl, for each row c of keys and values:
//   dk = sum_lines ds[c] q / sqrt(HEAD_DIM)
//   dv = sum_lines p[c] dy,   over the rows that see c and the heads of its group
//
// Lengths, queries, keys and values: common/prefixed-keys.wgsl (bindings 0 to 2).
// dy           [MAX_ROWS, HEADS * HEAD_DIM]  f32
// log_sum_exp  [MAX_ROWS, HEADS]             f32, of the forward pass
// delta        [MAX_ROWS, HEADS]             f32, of delta.wgsl
// parts        [SPLITS, PREFIX + MAX_ROWS, 2, KV_GROUPS * HEAD_DIM]  f32, dk and dv of a part of a group's heads
//
// A workgroup has KEYS keys and values; tiles of LINES lines (as in attention-training.wgsl, but of one split's heads
// alone) go through workgroup memory. The splits are added up by sum.wgsl, always in the same order.
//
// Dispatch: groups times splits in x, tiles of keys in y.

@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
// Not written: it lies in the same buffer as parts, which WebGPU wants to have one use in a dispatch.
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> parts: array<vec4<f32>>;

const LINE = QUADS + 1u;
const SCORE_LINE = KEYS + 1u;
const SPLIT_HEADS = GROUP_HEADS / SPLITS;
const OWNED = (KEYS * QUADS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

var<workgroup> tile_keys: array<vec4<f32>, KEYS * LINE>;
var<workgroup> tile_values: array<vec4<f32>, KEYS * LINE>;
var<workgroup> queries: array<vec4<f32>, LINES * LINE>;
var<workgroup> gradients: array<vec4<f32>, LINES * LINE>;
var<workgroup> weights: array<f32, LINES * SCORE_LINE>;
var<workgroup> dscores: array<f32, LINES * SCORE_LINE>;
var<workgroup> shared_rows: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (lane == 0u) {
    shared_rows = min(sequence_length[0], MAX_ROWS);
  }
  let rows = workgroupUniformLoad(&shared_rows);
  let group = workgroup.x / SPLITS;
  let split = workgroup.x % SPLITS;
  let first_head = group * GROUP_HEADS + split * SPLIT_HEADS;
  let first_key = workgroup.y * KEYS;
  let scale = inverseSqrt(f32(HEAD_DIM));

  for (var i = lane; i < KEYS * QUADS; i += WORKGROUP_SIZE) {
    let c = min(first_key + i / QUADS, PREFIX + rows - 1u);
    tile_keys[i / QUADS * LINE + i % QUADS] = key_quad(c, group, i % QUADS);
    tile_values[i / QUADS * LINE + i % QUADS] = value_quad(c, group, i % QUADS);
  }
  var key_sums: array<vec4<f32>, OWNED>;
  var value_sums: array<vec4<f32>, OWNED>;
  // The first row that sees one of the keys.
  let first_line = (max(first_key, PREFIX) - PREFIX) * SPLIT_HEADS;
  let lines = rows * SPLIT_HEADS;
  for (var first = first_line; first < lines; first += LINES) {
    workgroupBarrier();
    for (var i = lane; i < LINES * QUADS; i += WORKGROUP_SIZE) {
      let line = min(first + i / QUADS, lines - 1u);
      let row = line / SPLIT_HEADS;
      let head = first_head + line % SPLIT_HEADS;
      let to = i / QUADS * LINE + i % QUADS;
      queries[to] = qkv[query_at(row, head) + i % QUADS];
      gradients[to] = dy[(row * HEADS + head) * QUADS + i % QUADS];
    }
    workgroupBarrier();

    for (var i = lane; i < LINES * KEYS; i += WORKGROUP_SIZE) {
      let line = i / KEYS;
      let key = i % KEYS;
      let row = min(first + line, lines - 1u) / SPLIT_HEADS;
      let at = row * HEADS + first_head + (first + line) % SPLIT_HEADS;
      var score = 0.0;
      var product = 0.0;
      for (var d = 0u; d < QUADS; d++) {
        score += dot(queries[line * LINE + d], tile_keys[key * LINE + d]);
        product += dot(gradients[line * LINE + d], tile_values[key * LINE + d]);
      }
      let seen = first + line < lines && first_key + key <= PREFIX + row;
      let weight = select(0.0, exp(score * scale - log_sum_exp[at]), seen);
      weights[line * SCORE_LINE + key] = weight;
      dscores[line * SCORE_LINE + key] = weight * (product - delta[at]) * scale;
    }
    workgroupBarrier();

    for (var k = 0u; k < OWNED; k++) {
      let i = lane + k * WORKGROUP_SIZE;
      if (i < KEYS * QUADS) {
        var key_sum = key_sums[k];
        var value_sum = value_sums[k];
        for (var j = 0u; j < LINES; j++) {
          key_sum += dscores[j * SCORE_LINE + i / QUADS] * queries[j * LINE + i % QUADS];
          value_sum += weights[j * SCORE_LINE + i / QUADS] * gradients[j * LINE + i % QUADS];
        }
        key_sums[k] = key_sum;
        value_sums[k] = value_sum;
      }
    }
  }

  for (var k = 0u; k < OWNED; k++) {
    let i = lane + k * WORKGROUP_SIZE;
    let c = first_key + i / QUADS;
    if (i < KEYS * QUADS && c < PREFIX + rows) {
      let to = ((split * (PREFIX + MAX_ROWS) + c) * 2u * KV_GROUPS + group) * QUADS + i % QUADS;
      parts[to] = key_sums[k];
      parts[to + KV_GROUPS * QUADS] = value_sums[k];
    }
  }
}
