// The first part of the backward pass of attention on subgroup matrices, for heads of 128: queries and gradients of the
// output as f16, and what is needed of each line (a row and a head) besides.
//
// qkv              [MAX_ROWS, (HEADS + 2 KV_GROUPS) * 128]  f32, after RoPE; the queries are read
// y,dy             [MAX_ROWS, HEADS * 128]                  f32
// log_sum_exp      [MAX_ROWS, HEADS]                        f32, of the forward pass
// lines            [2, MAX_ROWS, HEADS * 128]               f16: queries times log2(e) / sqrt(128), then gradients of
//                                                           each line times a power of two, so that the largest is in 1 .. 2
// facts            [MAX_ROWS, HEADS]                        vec4<f32>:
//   log_sum_exp in powers of two; delta = dy . y, of the scaled gradients; the exponent of the line's largest gradient and
//   of the row's, both as biased by f32 (127 is that of 1)
//
// The 32 invocations of a subgroup have a head.
//
// Dispatch: one workgroup a row in x.

@group(0) @binding(0) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read_write> lines: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> facts: array<vec4<f32>>;

const WORKGROUP_SIZE = 256u;
const SUBGROUPS = WORKGROUP_SIZE / 32u;
const LOG2_E = 1.4426950408889634;

var<workgroup> deltas: array<f32, HEADS>;
var<workgroup> exponents: array<u32, HEADS>;

fn pack(v: vec4<f32>) -> vec2<u32> {
  return vec2<u32>(pack2x16float(v.xy), pack2x16float(v.zw));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let quad = lane % 32u;
  for (var first = 0u; first < HEADS; first += SUBGROUPS) {
    let head = min(first + lane / 32u, HEADS - 1u);
    let line = row * HEADS + head;
    let gradient = dy[line * 32u + quad];
    let size = abs(gradient);
    let largest = subgroupMax(max(max(size.x, size.y), max(size.z, size.w)));
    // Lines of zeros and of infinities get what is possible.
    let exponent = clamp(bitcast<u32>(largest) >> 23u, 1u, 253u);
    let scale = bitcast<f32>((254u - exponent) << 23u);
    let rounded = pack(gradient * scale);
    lines[line * 32u + quad] = pack(qkv[(row * (HEADS + 2u * KV_GROUPS) + head) * 32u + quad] * (inverseSqrt(128.0) * LOG2_E));
    lines[(MAX_ROWS * HEADS + line) * 32u + quad] = rounded;
    // Of the rounded gradients, as the gradients of the weights that it is taken off.
    let delta = subgroupAdd(dot(vec4<f32>(unpack2x16float(rounded.x), unpack2x16float(rounded.y)), y[line * 32u + quad]));
    if (quad == 0u) {
      deltas[head] = delta;
      exponents[head] = exponent;
    }
  }
  workgroupBarrier();
  var highest = 0u;
  for (var head = 0u; head < HEADS; head++) {
    highest = max(highest, exponents[head]);
  }
  for (var head = lane; head < HEADS; head += WORKGROUP_SIZE) {
    let line = row * HEADS + head;
    facts[line] = vec4<f32>(log_sum_exp[line] * LOG2_E, deltas[head], f32(exponents[head]), f32(highest));
  }
}
