// Puts the parts of attention-decode together, and rounds the result for the next matrix product:
//   y = sum_s exp(highest_s - highest) part_s / sum_s exp(highest_s - highest) total_s,  highest = max_s highest_s
//
// rows        [rows]                           vec4<u32> (token, slot, position, prefix length)
// parts       [rows, HEADS, SPLITS, HEAD_DIM]  f32
// statistics  [rows, HEADS, SPLITS]            vec2<f32>: highest, total
//
// What it is rounded to is the business of output-*.wgsl: write_tile.
//
// Dispatch: tiles of TILE elements (a head, or several that fill a block of 32) in x, rows in y.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<vec2<f32>>;

// Each element is summed by PART_LANES invocations, each over every PART_LANES-th split. The first AHEAD of them are
// loaded before anything is known of the sequence, so that nothing waits twice for memory.
const PART_LANES = WORKGROUP_SIZE / TILE;
const AHEAD = 4u;
const HEADS_AT_ONCE = WORKGROUP_SIZE / LANES;
const LOWEST = -3.4e38;

var<workgroup> scales: array<f32, (TILE_HEADS + HEADS_AT_ONCE) * SPLITS>;
var<workgroup> partial: array<f32, WORKGROUP_SIZE>;
var<workgroup> attended: array<vec4<f32>, TILE / 4u>;

// What each split weighs: LANES invocations work on a head. Splits behind the end weigh nothing.
fn weigh_splits(first_head: u32, splits: u32, lane: u32) {
  for (var first = 0u; first < TILE_HEADS; first += HEADS_AT_ONCE) {
    let head = first + lane / LANES;
    let at = (first_head + min(head, TILE_HEADS - 1u)) * SPLITS;
    var found: array<vec2<f32>, (SPLITS + LANES - 1u) / LANES>;
    var highest = LOWEST;
    for (var k = 0u; k < (SPLITS + LANES - 1u) / LANES; k++) {
      let split = lane % LANES + k * LANES;
      found[k] = statistics[at + min(split, SPLITS - 1u)];
      highest = max(highest, select(LOWEST, found[k].x, split < splits));
    }
    highest = max_lanes(highest, lane);
    var total = 0.0;
    for (var k = 0u; k < (SPLITS + LANES - 1u) / LANES; k++) {
      let within = lane % LANES + k * LANES < splits;
      found[k].x = select(0.0, exp(found[k].x - highest), within);
      total += select(0.0, found[k].x * found[k].y, within);
    }
    total = sum_lanes(vec4<f32>(total, 0.0, 0.0, 0.0), lane).x;
    for (var k = 0u; k < (SPLITS + LANES - 1u) / LANES; k++) {
      let split = lane % LANES + k * LANES;
      if (split < SPLITS) {
        scales[head * SPLITS + split] = found[k].x / total;
      }
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_head = workgroup.y * HEADS + workgroup.x * TILE_HEADS;
  let element = lane % TILE;
  let head = element / HEAD_DIM;
  let part = (first_head + head) * SPLITS;
  var ahead: array<f32, AHEAD>;
  for (var j = 0u; j < AHEAD; j++) {
    let split = min(lane / TILE + j * PART_LANES, SPLITS - 1u);
    ahead[j] = parts[(part + split) * HEAD_DIM + element % HEAD_DIM];
  }
  let row = rows[workgroup.y];
  let length = row.w + row.z + 1u;
  let span = keys_per_split(length);
  let splits = (length + span - 1u) / span;
  weigh_splits(first_head, splits, lane);
  workgroupBarrier();

  var sum = 0.0;
  for (var j = 0u; j < AHEAD; j++) {
    let split = lane / TILE + j * PART_LANES;
    sum += select(0.0, scales[head * SPLITS + min(split, SPLITS - 1u)] * ahead[j], split < splits);
  }
  for (var s = lane / TILE + AHEAD * PART_LANES; s < splits; s += AHEAD * PART_LANES) {
    for (var j = 0u; j < AHEAD; j++) {
      let split = s + j * PART_LANES;
      let value = parts[(part + min(split, splits - 1u)) * HEAD_DIM + element % HEAD_DIM];
      sum += select(0.0, scales[head * SPLITS + min(split, SPLITS - 1u)] * value, split < splits);
    }
  }
  partial[lane] = sum;
  workgroupBarrier();
  if (lane < TILE / 4u) {
    var value = vec4<f32>();
    for (var part = 0u; part < PART_LANES; part++) {
      let at = part * TILE + lane * 4u;
      value += vec4<f32>(partial[at], partial[at + 1u], partial[at + 2u], partial[at + 3u]);
    }
    attended[lane] = value;
  }
  workgroupBarrier();

  write_tile(workgroup.y, workgroup.x, lane);
}
