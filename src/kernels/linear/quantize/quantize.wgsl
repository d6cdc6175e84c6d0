// Quantizes rows of float weights, in groups of GROUP_SIZE along the columns, to w = scale * q + bias with
// q in 0..LEVELS, LEVELS = 2^BITS - 1, and scale and bias in f16 (the affine format of MLX).
//
// Each group tries 16 ranges: those whose ends lie 0, 0.3, 0.6 or 0.9 steps of min/max quantization inside the
// least and the greatest element. Each range is refined twice: given the q of the elements, scale and bias become
// those of least squared error, and then q is found anew. Of all that, the scale and bias of the least squared error
// are kept, the first where several are equal. Errors are those of the f16 values.
//
// source    [rows, COLUMNS]               f32, or f16 or bf16 in pairs, element 2i in the low half of word i
// block     [1]                           u32, rows of this run
// weight    [rows, COLUMNS * BITS / 32]   u32, the lowest element in the lowest bits
// scales    [rows, COLUMNS / GROUP_SIZE]  f16 in pairs; the half behind an odd end is written as zero
// biases    [rows, COLUMNS / GROUP_SIZE]  f16 in pairs, likewise
// problems  [2]                           u32, added to: elements that were not finite, and were taken for 0;
//                                         elements beyond +-65504, which were taken for +-65504
//
// Dispatch: WORKGROUP_SIZE / 16 groups a workgroup, flat over x and y; 16 lanes a group, one for each range.

@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read> block: array<u32>;
@group(0) @binding(2) var<storage, read_write> weight: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<u32>;
@group(0) @binding(4) var<storage, read_write> biases: array<u32>;
@group(0) @binding(5) var<storage, read_write> problems: array<atomic<u32>, 2>;

const LEVELS = f32((1u << BITS) - 1u);
const RANGES = 16u;
const REFINEMENTS = 2u;
const GROUPS = WORKGROUP_SIZE / RANGES;
const QUADS = GROUP_SIZE / 4u;
// One more than a group needs: lanes of neighbouring groups then read from different memory banks.
const TILE_STRIDE = QUADS + 1u;
const GROUP_WORDS = GROUP_SIZE * BITS / 32u;
const WORD_QUADS = 8u / BITS;

var<workgroup> tile: array<vec4<f32>, GROUPS * TILE_STRIDE>;
var<workgroup> errors: array<f32, WORKGROUP_SIZE>;
var<workgroup> grids: array<u32, WORKGROUP_SIZE>;

// Scale and bias as the bits of f16, and their values.
struct Grid {
  bits: u32,
  scale: f32,
  bias: f32,
}

fn grid(scale: f32, bias: f32) -> Grid {
  return grid_of(float_to_half(scale) | (float_to_half(bias) << 16u));
}

fn grid_of(bits: u32) -> Grid {
  return Grid(bits, half_to_float(bits & 0xffffu), half_to_float(bits >> 16u));
}

fn quantized(elements: vec4<f32>, on: Grid) -> vec4<f32> {
  let inverse = select(1.0 / on.scale, 0.0, on.scale == 0.0);
  return clamp(round((elements - on.bias) * inverse), vec4<f32>(0.0), vec4<f32>(LEVELS));
}

// An element as the bits of f32. An f16 that is not finite stays so.
fn element_bits(index: u32) -> u32 {
  if (SOURCE_F32) {
    return source[index];
  }
  let half = (source[index / 2u] >> ((index & 1u) * 16u)) & 0xffffu;
  if (SOURCE_BF16) {
    return half << 16u;
  }
  return select(bitcast<u32>(half_to_float(half)), 0x7f800000u, (half & 0x7c00u) == 0x7c00u);
}

fn load_quad(index: u32) -> vec4<f32> {
  var quad = vec4<f32>(0.0);
  for (var i = 0u; i < 4u; i++) {
    let bits = element_bits(index + i);
    if ((bits & 0x7f800000u) == 0x7f800000u) {
      atomicAdd(&problems[0], 1u);
      continue;
    }
    let element = bitcast<f32>(bits);
    if (abs(element) > HALF_LARGEST) {
      atomicAdd(&problems[1], 1u);
    }
    quad[i] = clamp(element, -HALF_LARGEST, HALF_LARGEST);
  }
  return quad;
}

// The best scale and bias that this range leads to, and their squared error, as the lane's entries.
fn try_range(lane: u32) {
  let start = lane / RANGES * TILE_STRIDE;
  var lowest = tile[start];
  var highest = lowest;
  for (var quad = 1u; quad < QUADS; quad++) {
    lowest = min(lowest, tile[start + quad]);
    highest = max(highest, tile[start + quad]);
  }
  let low = min(min(lowest.x, lowest.y), min(lowest.z, lowest.w));
  let high = max(max(highest.x, highest.y), max(highest.z, highest.w));
  let step = (high - low) / LEVELS;
  let from_low = 0.3 * f32(lane & 3u);
  let from_high = 0.3 * f32((lane >> 2u) & 3u);
  var candidate = grid(step * (LEVELS - from_low - from_high) / LEVELS, low + from_low * step);
  if (high == low) {
    // Equal elements that f16 cannot hold are the sum of a bias and a scale that holds the rest.
    candidate = grid(low - candidate.bias, low);
  }

  var best_error = 3.4e38;
  var best = 0u;
  for (var refinement = 0u; refinement <= REFINEMENTS; refinement++) {
    var error = 0.0;
    var sum_q = 0.0;
    var sum_qq = 0.0;
    var sum_w = 0.0;
    var sum_qw = 0.0;
    for (var quad = 0u; quad < QUADS; quad++) {
      let elements = tile[start + quad];
      let q = quantized(elements, candidate);
      let difference = elements - (candidate.scale * q + candidate.bias);
      error += dot(difference, difference);
      // Relative to the least element, so that little is lost where all are far from zero.
      let w = elements - low;
      sum_q += dot(q, vec4<f32>(1.0));
      sum_qq += dot(q, q);
      sum_w += dot(w, vec4<f32>(1.0));
      sum_qw += dot(q, w);
    }
    if (error < best_error) {
      best_error = error;
      best = candidate.bits;
    }
    let n = f32(GROUP_SIZE);
    let variance = n * sum_qq - sum_q * sum_q;
    if (variance == 0.0) {
      break;
    }
    let scale = half_to_float(float_to_half((n * sum_qw - sum_q * sum_w) / variance));
    candidate = grid(scale, low + (sum_w - scale * sum_q) / n);
  }
  errors[lane] = best_error;
  grids[lane] = best;
}

fn best_grid(group: u32) -> u32 {
  var best = group * RANGES;
  for (var lane = best + 1u; lane < (group + 1u) * RANGES; lane++) {
    best = select(best, lane, errors[lane] < errors[best]);
  }
  return grids[best];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let group_count = block[0] * (COLUMNS / GROUP_SIZE);
  let first = (workgroup.y * workgroups.x + workgroup.x) * GROUPS;

  for (var i = lane; i < GROUPS * QUADS; i += WORKGROUP_SIZE) {
    let group = i / QUADS;
    if (first + group < group_count) {
      tile[group * TILE_STRIDE + i % QUADS] = load_quad((first * QUADS + i) * 4u);
    }
  }
  workgroupBarrier();
  try_range(lane);
  workgroupBarrier();

  let local_group = lane / RANGES;
  let group = first + local_group;
  let part = lane % RANGES;
  if (group >= group_count) {
    return;
  }
  let chosen = best_grid(local_group);
  if (part < GROUP_WORDS) {
    var word = 0u;
    for (var quad = 0u; quad < WORD_QUADS; quad++) {
      let q = vec4<u32>(quantized(tile[local_group * TILE_STRIDE + part * WORD_QUADS + quad], grid_of(chosen)));
      let shift = quad * 4u * BITS;
      word |= (q.x | (q.y << BITS) | (q.z << (2u * BITS)) | (q.w << (3u * BITS))) << shift;
    }
    weight[group * GROUP_WORDS + part] = word;
  }
  if (part == 0u && group % 2u == 0u) {
    var next = 0u;
    if (group + 1u < group_count) {
      next = best_grid(local_group + 1u);
    }
    scales[group / 2u] = (chosen & 0xffffu) | (next << 16u);
    biases[group / 2u] = (chosen >> 16u) | (next & 0xffff0000u);
  }
}
