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
// The tiles are those of common/fours.wgsl: KEYS keys and then their values are kept, the queries of LINES lines (pairs of a
// row and a head of the split) and then their gradients pass. The next tile is on its way from storage to registers
// meanwhile. One part of the invocations computes scores, the other the gradients of weights.
// The splits are added up by sum.wgsl, always in the same order.
//
// Dispatch: groups times splits in x, tiles of keys in y.

@group(0) @binding(3) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
// Not written: it lies in the same buffer as parts, which WebGPU wants to have one use in a dispatch.
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> parts: array<vec4<f32>>;

const SPLIT_HEADS = GROUP_HEADS / SPLITS;
const FOURS = KEYS / 4u;
const KEPT = 2u * KEYS;
const TILE = LINES;
const PASSING = 2u * LINES;

// Of a line and a four of keys: weights, and what they are multiplied by to give ds.
var<workgroup> weights: array<vec4<f32>, LINES * FOURS>;
var<workgroup> dweights: array<vec4<f32>, LINES * FOURS>;
// The rows there are, and those behind which no row sees the keys of the workgroup.
var<workgroup> shared_rows: vec2<u32>;

fn load_queries(first_head: u32, first: u32, end: u32, lane: u32) -> array<vec4<f32>, MOVED> {
  var moved = array<vec4<f32>, MOVED>();
  for (var i = 0u; i < MOVED; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let line = min(first + at / QUADS, end - 1u);
    let query = qkv[query_at(line / SPLIT_HEADS, first_head + line % SPLIT_HEADS) + at % QUADS];
    moved[i] = query * inverseSqrt(f32(HEAD_DIM));
  }
  return moved;
}

fn load_gradients(first_head: u32, first: u32, end: u32, lane: u32) -> array<vec4<f32>, MOVED> {
  var moved = array<vec4<f32>, MOVED>();
  for (var i = 0u; i < MOVED; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let line = min(first + at / QUADS, end - 1u);
    moved[i] = dy[(line / SPLIT_HEADS * HEADS + first_head + line % SPLIT_HEADS) * QUADS + at % QUADS];
  }
  return moved;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_key = workgroup.y * KEYS;
  if (lane == 0u) {
    let rows = min(sequences[0], MAX_ROWS);
    let last_row = min(max(first_key + KEYS - 1u, PREFIX) - PREFIX, rows - 1u);
    shared_rows = vec2<u32>(rows, select(sequence_end(last_row, rows), rows, first_key < PREFIX));
  }
  let rows_and_end = workgroupUniformLoad(&shared_rows);
  let rows = rows_and_end.x;
  let group = workgroup.x / SPLITS;
  let split = workgroup.x % SPLITS;
  let first_head = group * GROUP_HEADS + split * SPLIT_HEADS;

  for (var i = lane; i < KEYS * QUADS; i += WORKGROUP_SIZE) {
    let c = min(first_key + i / QUADS, PREFIX + rows - 1u);
    let to = i / QUADS * LINE + i % QUADS;
    kept[to] = key_quad(c, group, i % QUADS);
    kept[KEYS * LINE + to] = value_quad(c, group, i % QUADS);
  }
  let quad = lane % QUADS;
  let first_four = lane / QUADS * OWN_FOURS;
  var key_sums: array<mat4x4<f32>, OWN_FOURS>;
  var value_sums: array<mat4x4<f32>, OWN_FOURS>;
  // Of the first row that sees one of the keys.
  let first_line = (max(first_key, PREFIX) - PREFIX) * SPLIT_HEADS;
  let end = rows_and_end.y * SPLIT_HEADS;
  var next_queries = load_queries(first_head, first_line, end, lane);
  var next_gradients = load_gradients(first_head, first_line, end, lane);
  for (var first = first_line; first < end; first += LINES) {
    workgroupBarrier();
    store_tile(0u, next_queries, lane);
    store_tile(LINES, next_gradients, lane);
    workgroupBarrier();
    next_queries = load_queries(first_head, first + LINES, end, lane);
    next_gradients = load_gradients(first_head, first + LINES, end, lane);

    for (var i = lane; i < 2u * FOURS * LINES; i += WORKGROUP_SIZE) {
      let at = i % (FOURS * LINES);
      let four = at % FOURS;
      let line = at / FOURS;
      let row = min(first + line, end - 1u) / SPLIT_HEADS;
      let head = first_head + (first + line) % SPLIT_HEADS;
      if (i == at) {
        let c = lines_of(first_key, four);
        let weight = exp(products(four, line) - log_sum_exp[row * HEADS + head]);
        let seen = sees(vec4<u32>(row), c) & vec4<bool>(first + line < end);
        weights[at] = select(vec4<f32>(), weight, seen);
      } else {
        dweights[at] = products(KEYS + four, LINES + line) - delta[row * HEADS + head];
      }
    }
    workgroupBarrier();

    for (var j = 0u; j < LINES; j++) {
      let query = passing[j * LINE + quad];
      let gradient = passing[(LINES + j) * LINE + quad];
      for (var k = 0u; k < OWN_FOURS; k++) {
        let at = j * FOURS + min(first_four + k, FOURS - 1u);
        let p = weights[at];
        let ds = p * dweights[at];
        // The queries bring the factor of 1 / sqrt(HEAD_DIM).
        key_sums[k] += times(ds, query);
        value_sums[k] += times(p, gradient);
      }
    }
  }

  for (var k = 0u; k < OWN_FOURS; k++) {
    let four = first_four + k;
    for (var part = 0u; part < 4u; part++) {
      let c = first_key + four + part * FOURS;
      if (four < FOURS && c < PREFIX + rows) {
        let to = ((split * (PREFIX + MAX_ROWS) + c) * 2u * KV_GROUPS + group) * QUADS + quad;
        parts[to] = key_sums[k][part];
        parts[to + KV_GROUPS * QUADS] = value_sums[k][part];
      }
    }
  }
}
