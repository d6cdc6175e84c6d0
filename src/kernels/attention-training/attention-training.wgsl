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
// Lines go by fours, a quarter of the tile apart: four f is the lines f, f + FOURS, f + 2 FOURS, f + 3 FOURS. An
// invocation computes the scores of a four with a key, and has the sums of OWN_FOURS fours in one quad of columns.
//
// Dispatch: groups in x, tiles of lines in y; the last tiles, which have the most keys, go first.

@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> log_sum_exp: array<f32>;

// One more against bank conflicts.
const LINE = QUADS + 1u;
const FOURS = LINES / 4u;
const THREAD_FOURS = WORKGROUP_SIZE / QUADS;
const OWN_FOURS = (FOURS + THREAD_FOURS - 1u) / THREAD_FOURS;
const LOWEST = -3.4e38;

var<workgroup> queries: array<vec4<f32>, LINES * LINE>;
var<workgroup> tile: array<vec4<f32>, KEYS * LINE>;
// Of a key and a four of lines: first scores, then weights.
var<workgroup> scores: array<vec4<f32>, KEYS * FOURS>;
// Of each four: behind which keys its lines end, their highest score, and the factor of what was summed before.
var<workgroup> line_ends: array<vec4<u32>, FOURS>;
var<workgroup> line_highest: array<vec4<f32>, FOURS>;
var<workgroup> rescale: array<vec4<f32>, FOURS>;
var<workgroup> shared_rows: u32;

// The lines of a four, and the rows they belong to.
fn lines_of(first_line: u32, four: u32) -> vec4<u32> {
  return vec4<u32>(first_line + four) + vec4<u32>(0u, FOURS, 2u * FOURS, 3u * FOURS);
}

fn rows_of(lines: vec4<u32>, rows: u32) -> vec4<u32> {
  return min(lines / GROUP_HEADS, vec4<u32>(rows - 1u));
}

// Products of a four of queries with a key.
fn products(four: u32, key: u32) -> vec4<f32> {
  var sums = vec4<f32>();
  for (var d = 0u; d < QUADS; d++) {
    let k = tile[key * LINE + d];
    sums += vec4<f32>(
      dot(queries[four * LINE + d], k),
      dot(queries[(four + FOURS) * LINE + d], k),
      dot(queries[(four + 2u * FOURS) * LINE + d], k),
      dot(queries[(four + 3u * FOURS) * LINE + d], k),
    );
  }
  return sums;
}

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
  // The first FOURS invocations keep the softmax of a four each.
  var highest = vec4<f32>(LOWEST);
  var total = vec4<f32>();
  if (lane < FOURS) {
    line_ends[lane] = rows_of(lines_of(first_line, lane), rows) + PREFIX + 1u;
  }
  let quad = lane % QUADS;
  let first_four = lane / QUADS * OWN_FOURS;
  var sums: array<mat4x4<f32>, OWN_FOURS>;
  for (var first = 0u; first < end; first += KEYS) {
    workgroupBarrier();
    for (var i = lane; i < KEYS * QUADS; i += WORKGROUP_SIZE) {
      tile[i / QUADS * LINE + i % QUADS] = key_quad(min(first + i / QUADS, end - 1u), group, i % QUADS);
    }
    workgroupBarrier();
    for (var i = lane; i < FOURS * KEYS; i += WORKGROUP_SIZE) {
      scores[i] = products(i % FOURS, i / FOURS);
    }
    workgroupBarrier();

    for (var i = lane; i < KEYS * QUADS; i += WORKGROUP_SIZE) {
      tile[i / QUADS * LINE + i % QUADS] = value_quad(min(first + i / QUADS, end - 1u), group, i % QUADS);
    }
    if (lane < FOURS) {
      // Every line sees the first key, so that this is a score.
      var largest = highest;
      for (var j = 0u; j < KEYS; j++) {
        let seen = vec4<u32>(first + j) < line_ends[lane];
        largest = max(largest, select(vec4<f32>(LOWEST), scores[j * FOURS + lane], seen));
      }
      rescale[lane] = exp(highest - largest);
      line_highest[lane] = largest;
      highest = largest;
    }
    workgroupBarrier();
    for (var i = lane; i < FOURS * KEYS; i += WORKGROUP_SIZE) {
      let seen = vec4<u32>(first + i / FOURS) < line_ends[i % FOURS];
      scores[i] = select(vec4<f32>(), exp(scores[i] - line_highest[i % FOURS]), seen);
    }
    workgroupBarrier();

    if (lane < FOURS) {
      total *= rescale[lane];
      for (var j = 0u; j < KEYS; j++) {
        total += scores[j * FOURS + lane];
      }
    }
    for (var k = 0u; k < OWN_FOURS; k++) {
      let factor = rescale[min(first_four + k, FOURS - 1u)];
      sums[k] = mat4x4<f32>(factor.x * sums[k][0], factor.y * sums[k][1], factor.z * sums[k][2], factor.w * sums[k][3]);
    }
    for (var j = 0u; j < KEYS; j++) {
      let value = tile[j * LINE + quad];
      for (var k = 0u; k < OWN_FOURS; k++) {
        let weight = scores[j * FOURS + min(first_four + k, FOURS - 1u)];
        sums[k] += mat4x4<f32>(weight.x * value, weight.y * value, weight.z * value, weight.w * value);
      }
    }
  }

  workgroupBarrier();
  if (lane < FOURS) {
    rescale[lane] = 1.0 / total;
    let lines = lines_of(first_line, lane);
    let sums_of_exponentials = highest + log(total);
    for (var part = 0u; part < 4u; part++) {
      let row = lines[part] / GROUP_HEADS;
      if (row < rows) {
        log_sum_exp[row * HEADS + group * GROUP_HEADS + lines[part] % GROUP_HEADS] = sums_of_exponentials[part];
      }
    }
  }
  workgroupBarrier();
  for (var k = 0u; k < OWN_FOURS; k++) {
    let four = first_four + k;
    let lines = lines_of(first_line, four);
    for (var part = 0u; part < 4u; part++) {
      let row = lines[part] / GROUP_HEADS;
      if (four < FOURS && row < rows) {
        let to = (row * HEADS + group * GROUP_HEADS + lines[part] % GROUP_HEADS) * QUADS + quad;
        y[to] = sums[k][part] * rescale[four][part];
      }
    }
  }
}
