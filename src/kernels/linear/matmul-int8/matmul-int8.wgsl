// Matrix product for many rows on integer dot products: y[r, n] (+)= sum_i x[r, i] * w[n, i] (+ bias[n]), for x rounded to
// 8 bits by quantize-activations.wgsl and a quantized weight w = scale * q + bias:
//   y[r, n] = sum over groups g of  scale_w[n, g] * scale_x[r, g] * (q_x . q_w) + bias_w[n, g] * scale_x[r, g] * sum(q_x)
//
// The weight w [OUT, IN] is in one of the quantized formats of common/weight-*.wgsl, read by the weight-*.wgsl beside this
// file (bindings 0 to 2). It may be a slice of a larger one: its outputs go to the columns OUT_OFFSET ..
// OUT_OFFSET + OUT - 1 of y, which has OUT_STRIDE columns.
//
// x_words   [rows / 4, IN / 4, 4]                 four q of 8 bits
// x_ranges  [IN / GROUP_SIZE, rows rounded to 4]  vec2<f32> (scale, scale * sum of q)
// bias      [OUT_STRIDE]                          f16 in pairs, read where HAS_BIAS
// y         [rows, OUT_STRIDE]                    f32, added to where ACCUMULATE (the residual), else overwritten
//
// A workgroup computes a tile of 4 THREAD_ROWS x 8 THREAD_OUTPUTS, an invocation 4 x 8 of it. One group goes through
// workgroup memory at a time, while the next is on its way from storage to registers.
//
// The buffers have MAX_ROWS rows; those of a tile behind the rows dispatched are computed from whatever is there.
//
// Dispatch: tiles of rows in x, so that neighbours share a tile of the weight; tiles of outputs in y.

@group(0) @binding(3) var<storage, read> x_words: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> x_ranges: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

const WORKGROUP_SIZE = THREAD_ROWS * THREAD_OUTPUTS;
const OUTPUT_FOURS = 2u * THREAD_OUTPUTS;
const GROUPS = IN / GROUP_SIZE;
const GROUP_WORDS = GROUP_SIZE / 4u;
const GROUP_UNITS = GROUP_WORDS / UNIT_WORDS;
const ROW_FOURS = (MAX_ROWS + 3u) / 4u;
// Words of four rows, and units of four outputs, that an invocation moves for a group.
const OWN_X = (THREAD_ROWS * GROUP_WORDS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;
const OWN_W = (OUTPUT_FOURS * GROUP_UNITS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

// What an invocation moves for a group, on its way from storage to workgroup memory.
struct Moved {
  x: array<vec4<u32>, OWN_X>,
  w: array<vec4<u32>, OWN_W>,
  // Of four outputs, in the first OUTPUT_FOURS invocations.
  scales: vec4<f32>,
  biases: vec4<f32>,
}

// Each word of a group for all rows, or all outputs, in fours.
var<workgroup> tile_x: array<vec4<u32>, GROUP_WORDS * THREAD_ROWS>;
var<workgroup> tile_w: array<vec4<u32>, GROUP_WORDS * OUTPUT_FOURS>;
var<workgroup> tile_scales: array<vec4<f32>, OUTPUT_FOURS>;
var<workgroup> tile_biases: array<vec4<f32>, OUTPUT_FOURS>;

fn load_group(group: u32, first_row_four: u32, first_output: u32, lane: u32) -> Moved {
  var moved = Moved();
  for (var i = 0u; i < OWN_X; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let row_four = min(first_row_four + at / GROUP_WORDS, ROW_FOURS - 1u);
    moved.x[i] = x_words[row_four * (IN / 4u) + group * GROUP_WORDS + at % GROUP_WORDS];
  }
  for (var i = 0u; i < OWN_W; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    let output = first_output + at / GROUP_UNITS * 4u;
    let unit = group * GROUP_UNITS + at % GROUP_UNITS;
    moved.w[i] = vec4<u32>(
      weight[min(output, OUT - 1u) * (IN / WORD_ELEMENTS) + unit],
      weight[min(output + 1u, OUT - 1u) * (IN / WORD_ELEMENTS) + unit],
      weight[min(output + 2u, OUT - 1u) * (IN / WORD_ELEMENTS) + unit],
      weight[min(output + 3u, OUT - 1u) * (IN / WORD_ELEMENTS) + unit],
    );
  }
  if (lane < OUTPUT_FOURS) {
    let output = first_output + lane * 4u;
    for (var i = 0u; i < 4u; i++) {
      let at = min(output + i, OUT - 1u) * GROUPS + group;
      moved.scales[i] = unpack2x16float(scales[at / 2u])[at & 1u];
      moved.biases[i] = unpack2x16float(biases[at / 2u])[at & 1u];
    }
  }
  return moved;
}

fn store_group(moved: Moved, lane: u32) {
  if (lane < OUTPUT_FOURS) {
    tile_scales[lane] = moved.scales;
    tile_biases[lane] = moved.biases + moved.scales * ZERO_POINT;
  }
  for (var i = 0u; i < OWN_X; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (at < THREAD_ROWS * GROUP_WORDS) {
      tile_x[at % GROUP_WORDS * THREAD_ROWS + at / GROUP_WORDS] = moved.x[i];
    }
  }
  for (var i = 0u; i < OWN_W; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (at < OUTPUT_FOURS * GROUP_UNITS) {
      let to = at % GROUP_UNITS * UNIT_WORDS * OUTPUT_FOURS + at / GROUP_UNITS;
      for (var j = 0u; j < UNIT_WORDS; j++) {
        tile_w[to + j * OUTPUT_FOURS] = unit_word(moved.w[i], j);
      }
    }
  }
}

fn dots(x: u32, w: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4I8Packed(x, w.x), dot4I8Packed(x, w.y), dot4I8Packed(x, w.z), dot4I8Packed(x, w.w));
}

fn write(sums: vec4<f32>, row: u32, first_output: u32) {
  for (var i = 0u; i < 4u; i++) {
    let output = first_output + i;
    if (row < MAX_ROWS && output < OUT) {
      let column = OUT_OFFSET + output;
      var value = sums[i];
      if (HAS_BIAS) {
        value += unpack2x16float(bias[column / 2u])[column & 1u];
      }
      if (ACCUMULATE) {
        value += y[row * OUT_STRIDE + column];
      }
      y[row * OUT_STRIDE + column] = value;
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first_row_four = workgroup.x * THREAD_ROWS;
  let first_output = workgroup.y * OUTPUT_FOURS * 4u;
  let my_row = lane / THREAD_OUTPUTS;
  let my_output = lane % THREAD_OUTPUTS;
  // The eight outputs of an invocation are four and four, apart, so that neighbours read neighbouring words.
  let output_a = first_output + my_output * 4u;
  let output_b = output_a + THREAD_OUTPUTS * 4u;
  let row_four = min(first_row_four + my_row, ROW_FOURS - 1u);

  var sums0 = array<vec4<f32>, 2>();
  var sums1 = array<vec4<f32>, 2>();
  var sums2 = array<vec4<f32>, 2>();
  var sums3 = array<vec4<f32>, 2>();
  var next = load_group(0u, first_row_four, first_output, lane);
  for (var group = 0u; group < GROUPS; group++) {
    store_group(next, lane);
    workgroupBarrier();
    // Behind the last group this reads the last one again: cheaper than a branch.
    next = load_group(min(group + 1u, GROUPS - 1u), first_row_four, first_output, lane);
    let rows01 = x_ranges[(group * ROW_FOURS + row_four) * 2u];
    let rows23 = x_ranges[(group * ROW_FOURS + row_four) * 2u + 1u];

    var dots0a = vec4<i32>();
    var dots0b = vec4<i32>();
    var dots1a = vec4<i32>();
    var dots1b = vec4<i32>();
    var dots2a = vec4<i32>();
    var dots2b = vec4<i32>();
    var dots3a = vec4<i32>();
    var dots3b = vec4<i32>();
    for (var word = 0u; word < GROUP_WORDS; word++) {
      let xs = tile_x[word * THREAD_ROWS + my_row];
      let wa = tile_w[word * OUTPUT_FOURS + my_output];
      let wb = tile_w[word * OUTPUT_FOURS + THREAD_OUTPUTS + my_output];
      dots0a += dots(xs.x, wa);
      dots0b += dots(xs.x, wb);
      dots1a += dots(xs.y, wa);
      dots1b += dots(xs.y, wb);
      dots2a += dots(xs.z, wa);
      dots2b += dots(xs.z, wb);
      dots3a += dots(xs.w, wa);
      dots3b += dots(xs.w, wb);
    }
    let scale_a = tile_scales[my_output];
    let scale_b = tile_scales[THREAD_OUTPUTS + my_output];
    let bias_a = tile_biases[my_output];
    let bias_b = tile_biases[THREAD_OUTPUTS + my_output];
    sums0[0] += vec4<f32>(dots0a) * (scale_a * rows01.x) + bias_a * rows01.y;
    sums0[1] += vec4<f32>(dots0b) * (scale_b * rows01.x) + bias_b * rows01.y;
    sums1[0] += vec4<f32>(dots1a) * (scale_a * rows01.z) + bias_a * rows01.w;
    sums1[1] += vec4<f32>(dots1b) * (scale_b * rows01.z) + bias_b * rows01.w;
    sums2[0] += vec4<f32>(dots2a) * (scale_a * rows23.x) + bias_a * rows23.y;
    sums2[1] += vec4<f32>(dots2b) * (scale_b * rows23.x) + bias_b * rows23.y;
    sums3[0] += vec4<f32>(dots3a) * (scale_a * rows23.z) + bias_a * rows23.w;
    sums3[1] += vec4<f32>(dots3b) * (scale_b * rows23.z) + bias_b * rows23.w;
    workgroupBarrier();
  }

  let first_row = (first_row_four + my_row) * 4u;
  write(sums0[0], first_row, output_a);
  write(sums0[1], first_row, output_b);
  write(sums1[0], first_row + 1u, output_a);
  write(sums1[1], first_row + 1u, output_b);
  write(sums2[0], first_row + 2u, output_a);
  write(sums2[1], first_row + 2u, output_b);
  write(sums3[0], first_row + 3u, output_a);
  write(sums3[1], first_row + 3u, output_b);
}
