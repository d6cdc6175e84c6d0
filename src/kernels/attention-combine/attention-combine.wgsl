// Puts the parts of attention-decode together, and rounds the result to 8 bits for the next matrix product:
//   y = sum_s exp(highest_s - highest) part_s / sum_s exp(highest_s - highest) total_s,  highest = max_s highest_s
//
// rows           [rows]                            vec4<u32> (token, slot, position, prefix length)
// parts          [rows, HEADS, SPLITS, HEAD_DIM]   f32
// statistics     [rows, HEADS, SPLITS]             vec2<f32>: highest, total
// output_blocks  [rows, HEADS * HEAD_DIM / 32, 2]  vec4<u32>: the words of common/activation-block.wgsl
// output_scales  [rows, HEADS * HEAD_DIM / 32]     vec2<f32>: scale, scale * sum(q)
//
// Dispatch: tiles of TILE elements (a head, or several that fill a block of 32) in x, rows in y.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> parts: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> output_blocks: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> output_scales: array<vec2<f32>>;

// Each element is summed by PART_LANES invocations, each over every PART_LANES-th split, so that many loads are under
// way at once.
const PART_LANES = WORKGROUP_SIZE / TILE;

var<workgroup> split_statistics: array<vec2<f32>, TILE_HEADS * SPLITS>;
var<workgroup> scales: array<f32, TILE_HEADS * SPLITS>;
var<workgroup> totals: array<f32, TILE_HEADS>;
var<workgroup> partial: array<f32, WORKGROUP_SIZE>;
var<workgroup> attended: array<f32, TILE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = rows[workgroup.y];
  let length = row.w + row.z + 1u;
  let span = keys_per_split(length);
  let splits = (length + span - 1u) / span;
  let first_head = workgroup.y * HEADS + workgroup.x * TILE_HEADS;

  for (var i = lane; i < TILE_HEADS * splits; i += WORKGROUP_SIZE) {
    let at = i / splits * SPLITS + i % splits;
    split_statistics[at] = statistics[first_head * SPLITS + at];
  }
  workgroupBarrier();
  for (var i = lane; i < TILE_HEADS * SPLITS; i += WORKGROUP_SIZE) {
    let first = i / SPLITS * SPLITS;
    var highest = split_statistics[first].x;
    for (var s = 1u; s < splits; s++) {
      highest = max(highest, split_statistics[first + s].x);
    }
    // Splits behind the end weigh nothing.
    scales[i] = select(0.0, exp(split_statistics[i].x - highest), i - first < splits);
  }
  workgroupBarrier();

  let element = lane % TILE;
  let head = element / HEAD_DIM;
  let part = (first_head + head) * SPLITS;
  var sum = 0.0;
  for (var s = lane / TILE; s < splits; s += 4u * PART_LANES) {
    for (var j = 0u; j < 4u; j++) {
      let split = s + j * PART_LANES;
      let value = parts[(part + min(split, splits - 1u)) * HEAD_DIM + element % HEAD_DIM];
      sum += select(0.0, scales[head * SPLITS + min(split, SPLITS - 1u)] * value, split < splits);
    }
  }
  partial[lane] = sum;
  if (lane < TILE_HEADS) {
    var total = 0.0;
    for (var s = 0u; s < splits; s++) {
      total += scales[lane * SPLITS + s] * split_statistics[lane * SPLITS + s].y;
    }
    totals[lane] = total;
  }
  workgroupBarrier();
  if (lane < TILE) {
    for (var part = 1u; part < PART_LANES; part++) {
      sum += partial[part * TILE + lane];
    }
    attended[lane] = sum / totals[head];
  }
  workgroupBarrier();

  for (var block = lane; block < TILE / 32u; block += WORKGROUP_SIZE) {
    var x: array<vec4<f32>, 8>;
    for (var i = 0u; i < 8u; i++) {
      let at = block * 32u + 4u * i;
      x[i] = vec4<f32>(attended[at], attended[at + 1u], attended[at + 2u], attended[at + 3u]);
    }
    let quantized = quantize_activations(x);
    let w = quantized.words;
    let at = (workgroup.y * HEADS * HEAD_DIM + workgroup.x * TILE) / 32u + block;
    output_blocks[at * 2u] = vec4<u32>(w[0], w[1], w[2], w[3]);
    output_blocks[at * 2u + 1u] = vec4<u32>(w[4], w[5], w[6], w[7]);
    output_scales[at] = quantized.scale_and_sum;
  }
}
