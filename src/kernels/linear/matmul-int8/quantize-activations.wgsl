// Rounds activations to 8 bits for matmul-int8.wgsl, in groups of GROUP_SIZE along a row:
//   scale = max |x| / 127,   q = round(x / scale)
//
// x       [rows, IN]                             f32
// words   [rows / 4, IN / 4, 4]                  four q of 8 bits; the words of four rows lie side by side
// ranges  [IN / GROUP_SIZE, rows rounded to 4]   vec2<f32> (scale, scale * sum of q)
//
// Within an octet the elements of the two words are 0..3 and 4..7, or (EVEN_ODD) 0, 2, 4, 6 and 1, 3, 5, 7: the order in
// which masking a word of eight 4-bit weights leaves them.
//
// Rows behind MAX_ROWS are zero.
//
// Dispatch: an invocation for each group of each four rows.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> words: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> ranges: array<vec2<f32>>;

const GROUPS = IN / GROUP_SIZE;
const ROW_FOURS = (MAX_ROWS + 3u) / 4u;
const OCTETS = GROUP_SIZE / 8u;

fn octet(row: u32, at: u32) -> array<vec4<f32>, 2> {
  if (row >= MAX_ROWS) {
    return array<vec4<f32>, 2>();
  }
  let source = (row * (IN / 8u) + at) * 2u;
  return array<vec4<f32>, 2>(x[source], x[source + 1u]);
}

fn largest(v: vec4<f32>) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

// The two words of an octet; adds its q to a sum.
fn pack_octet(elements: array<vec4<f32>, 2>, inverse: f32, sum: ptr<function, i32>) -> vec2<u32> {
  let low = vec4<i32>(round(elements[0] * inverse));
  let high = vec4<i32>(round(elements[1] * inverse));
  let both = low + high;
  *sum += both.x + both.y + both.z + both.w;
  if (EVEN_ODD) {
    return vec2<u32>(pack4xI8(vec4<i32>(low.xz, high.xz)), pack4xI8(vec4<i32>(low.yw, high.yw)));
  }
  return vec2<u32>(pack4xI8(low), pack4xI8(high));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP_SIZE + lane;
  let row_four = index / GROUPS;
  let group = index % GROUPS;
  if (row_four >= ROW_FOURS) {
    return;
  }
  var highest = vec4<f32>();
  for (var i = 0u; i < OCTETS; i++) {
    for (var j = 0u; j < 4u; j++) {
      let elements = octet(row_four * 4u + j, group * OCTETS + i);
      highest[j] = max(highest[j], largest(max(abs(elements[0]), abs(elements[1]))));
    }
  }
  let scale = highest / 127.0;
  let inverse = select(vec4<f32>(), 1.0 / scale, scale > vec4<f32>());
  var sums = vec4<i32>();
  for (var i = 0u; i < OCTETS; i++) {
    var low = vec4<u32>();
    var high = vec4<u32>();
    for (var j = 0u; j < 4u; j++) {
      var sum = sums[j];
      let pair = pack_octet(octet(row_four * 4u + j, group * OCTETS + i), inverse[j], &sum);
      sums[j] = sum;
      low[j] = pair.x;
      high[j] = pair.y;
    }
    let to = row_four * (IN / 4u) + (group * OCTETS + i) * 2u;
    words[to] = low;
    words[to + 1u] = high;
  }
  for (var j = 0u; j < 4u; j++) {
    ranges[(group * ROW_FOURS + row_four) * 4u + j] = vec2<f32>(scale[j], scale[j] * f32(sums[j]));
  }
}
