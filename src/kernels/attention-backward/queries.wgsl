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
// Lines are as in attention-training.wgsl: LINES of them to a workgroup, and tiles of KEYS keys and values.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<vec4<f32>>;

const LINE = QUADS + 1u;
const SCORE_LINE = KEYS + 1u;
const OWNED = (LINES * QUADS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

var<workgroup> queries: array<vec4<f32>, LINES * LINE>;
var<workgroup> gradients: array<vec4<f32>, LINES * LINE>;
var<workgroup> tile_keys: array<vec4<f32>, KEYS * LINE>;
var<workgroup> tile_values: array<vec4<f32>, KEYS * LINE>;
var<workgroup> dscores: array<f32, LINES * SCORE_LINE>;
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
  let scale = inverseSqrt(f32(HEAD_DIM));

  for (var i = lane; i < LINES * QUADS; i += WORKGROUP_SIZE) {
    let line = first_line + i / QUADS;
    let row = min(line / GROUP_HEADS, rows - 1u);
    let head = group * GROUP_HEADS + line % GROUP_HEADS;
    let to = i / QUADS * LINE + i % QUADS;
    queries[to] = qkv[query_at(row, head) + i % QUADS];
    gradients[to] = dy[(row * HEADS + head) * QUADS + i % QUADS];
  }
  var sums: array<vec4<f32>, OWNED>;
  for (var first = 0u; first < end; first += KEYS) {
    workgroupBarrier();
    for (var i = lane; i < KEYS * QUADS; i += WORKGROUP_SIZE) {
      let c = min(first + i / QUADS, end - 1u);
      tile_keys[i / QUADS * LINE + i % QUADS] = key_quad(c, group, i % QUADS);
      tile_values[i / QUADS * LINE + i % QUADS] = value_quad(c, group, i % QUADS);
    }
    workgroupBarrier();

    for (var i = lane; i < LINES * KEYS; i += WORKGROUP_SIZE) {
      let line = i / KEYS;
      let key = i % KEYS;
      let row = min((first_line + line) / GROUP_HEADS, rows - 1u);
      let at = row * HEADS + group * GROUP_HEADS + (first_line + line) % GROUP_HEADS;
      var score = 0.0;
      var product = 0.0;
      for (var d = 0u; d < QUADS; d++) {
        score += dot(queries[line * LINE + d], tile_keys[key * LINE + d]);
        product += dot(gradients[line * LINE + d], tile_values[key * LINE + d]);
      }
      let ds = exp(score * scale - log_sum_exp[at]) * (product - delta[at]) * scale;
      dscores[line * SCORE_LINE + key] = select(0.0, ds, first + key <= PREFIX + row);
    }
    workgroupBarrier();

    for (var k = 0u; k < OWNED; k++) {
      let i = lane + k * WORKGROUP_SIZE;
      if (i < LINES * QUADS) {
        var sum = sums[k];
        for (var j = 0u; j < KEYS; j++) {
          sum += dscores[i / QUADS * SCORE_LINE + j] * tile_keys[j * LINE + i % QUADS];
        }
        sums[k] = sum;
      }
    }
  }

  for (var k = 0u; k < OWNED; k++) {
    let i = lane + k * WORKGROUP_SIZE;
    let line = first_line + i / QUADS;
    let row = line / GROUP_HEADS;
    if (i < LINES * QUADS && row < rows) {
      dqkv[query_at(row, group * GROUP_HEADS + line % GROUP_HEADS) + i % QUADS] = sums[k];
    }
  }
}
