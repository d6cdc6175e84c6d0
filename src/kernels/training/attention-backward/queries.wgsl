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
// Lines are as in attention-training.wgsl, fours of them too: LINES to a workgroup, and tiles of KEYS keys and values.
// The next tile is on its way from storage to registers meanwhile. One part of the invocations computes scores, the other
// the gradients of weights.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> dqkv: array<vec4<f32>>;

const LINE = QUADS + 1u;
const FOURS = LINES / 4u;
const THREAD_FOURS = WORKGROUP_SIZE / QUADS;
const OWN_FOURS = (FOURS + THREAD_FOURS - 1u) / THREAD_FOURS;

// Quads of keys, and of values, that an invocation moves.
const MOVED = (KEYS * QUADS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

struct Moved {
  keys: array<vec4<f32>, MOVED>,
  values: array<vec4<f32>, MOVED>,
}

var<workgroup> queries: array<vec4<f32>, LINES * LINE>;
var<workgroup> gradients: array<vec4<f32>, LINES * LINE>;
var<workgroup> tile_keys: array<vec4<f32>, KEYS * LINE>;
var<workgroup> tile_values: array<vec4<f32>, KEYS * LINE>;
// Of a key and a four of lines: weights, and what they are multiplied by to give ds.
var<workgroup> weights: array<vec4<f32>, KEYS * FOURS>;
var<workgroup> dweights: array<vec4<f32>, KEYS * FOURS>;
// Of each four: the rows of its lines, log_sum_exp and delta.
var<workgroup> line_rows: array<vec4<u32>, FOURS>;
var<workgroup> line_sums: array<vec4<f32>, FOURS>;
var<workgroup> line_deltas: array<vec4<f32>, FOURS>;
// The rows there are, and the first one of the first line's sequence.
var<workgroup> shared_rows: vec2<u32>;

// The lines of a four, and the rows they belong to.
fn lines_of(first_line: u32, four: u32) -> vec4<u32> {
  return vec4<u32>(first_line + four) + vec4<u32>(0u, FOURS, 2u * FOURS, 3u * FOURS);
}

fn rows_of(lines: vec4<u32>, rows: u32) -> vec4<u32> {
  return min(lines / GROUP_HEADS, vec4<u32>(rows - 1u));
}

fn load_tile(group: u32, first: u32, end: u32, lane: u32) -> Moved {
  var moved = Moved();
  for (var i = 0u; i < MOVED; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let c = min(first + at / QUADS, end - 1u);
    moved.keys[i] = key_quad(c, group, at % QUADS);
    moved.values[i] = value_quad(c, group, at % QUADS);
  }
  return moved;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_line = (workgroups.y - 1u - workgroup.y) * LINES;
  if (lane == 0u) {
    let rows = min(sequences[0], MAX_ROWS);
    shared_rows = vec2<u32>(rows, sequence_begin(min(first_line / GROUP_HEADS, rows - 1u)));
  }
  let rows_and_begin = workgroupUniformLoad(&shared_rows);
  let rows = rows_and_begin.x;
  let begin = rows_and_begin.y;
  let group = workgroup.x;
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
    queries[to] = qkv[query_at(row, head) + i % QUADS] * scale;
    gradients[to] = dy[(row * HEADS + head) * QUADS + i % QUADS];
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
  var next = load_tile(group, beginning, end, lane);
  for (var first = beginning; first < end; first = seen_from(first + KEYS, begin)) {
    workgroupBarrier();
    for (var i = 0u; i < MOVED; i++) {
      let at = lane + i * WORKGROUP_SIZE;
      if (at < KEYS * QUADS) {
        tile_keys[at / QUADS * LINE + at % QUADS] = next.keys[i];
        tile_values[at / QUADS * LINE + at % QUADS] = next.values[i];
      }
    }
    workgroupBarrier();
    next = load_tile(group, seen_from(first + KEYS, begin), end, lane);

    for (var i = lane; i < 2u * FOURS * KEYS; i += WORKGROUP_SIZE) {
      let at = i % (FOURS * KEYS);
      let four = at % FOURS;
      let key = at / FOURS;
      var products = vec4<f32>();
      if (i == at) {
        for (var d = 0u; d < QUADS; d++) {
          let k = tile_keys[key * LINE + d];
          products += vec4<f32>(
            dot(queries[four * LINE + d], k),
            dot(queries[(four + FOURS) * LINE + d], k),
            dot(queries[(four + 2u * FOURS) * LINE + d], k),
            dot(queries[(four + 3u * FOURS) * LINE + d], k),
          );
        }
        let seen = sees(line_rows[four], vec4<u32>(first + key));
        weights[at] = select(vec4<f32>(), exp(products - line_sums[four]), seen);
      } else {
        for (var d = 0u; d < QUADS; d++) {
          let v = tile_values[key * LINE + d];
          products += vec4<f32>(
            dot(gradients[four * LINE + d], v),
            dot(gradients[(four + FOURS) * LINE + d], v),
            dot(gradients[(four + 2u * FOURS) * LINE + d], v),
            dot(gradients[(four + 3u * FOURS) * LINE + d], v),
          );
        }
        dweights[at] = products - line_deltas[four];
      }
    }
    workgroupBarrier();

    for (var j = 0u; j < KEYS; j++) {
      let key = tile_keys[j * LINE + quad];
      for (var k = 0u; k < OWN_FOURS; k++) {
        let at = j * FOURS + min(first_four + k, FOURS - 1u);
        let ds = weights[at] * dweights[at];
        sums[k] += mat4x4<f32>(ds.x * key, ds.y * key, ds.z * key, ds.w * key);
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
