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

var<workgroup> attended: array<f32, TILE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = rows[workgroup.y];
  let length = row.w + row.z + 1u;
  let span = keys_per_split(length);
  let splits = (length + span - 1u) / span;

  for (var i = lane; i < TILE; i += WORKGROUP_SIZE) {
    let head = workgroup.y * HEADS + (workgroup.x * TILE + i) / HEAD_DIM;
    var highest = statistics[head * SPLITS].x;
    for (var s = 1u; s < splits; s++) {
      highest = max(highest, statistics[head * SPLITS + s].x);
    }
    var sum = 0.0;
    var total = 0.0;
    for (var s = 0u; s < splits; s++) {
      let statistic = statistics[head * SPLITS + s];
      let scale = exp(statistic.x - highest);
      sum += scale * parts[(head * SPLITS + s) * HEAD_DIM + (workgroup.x * TILE + i) % HEAD_DIM];
      total += scale * statistic.y;
    }
    attended[i] = sum / total;
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
