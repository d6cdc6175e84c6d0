// Rounds hidden * norm_weight to 8 bits for input-norm.wgsl, four elements by each invocation, so that loads are
// coalesced: eight invocations, which share a subgroup, make a block of 32. Needs `subgroups` of 8 or more.

// Quads of elements that fall to a lane.
const QUADS = (IN / 4u + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

fn largest_of_octet(value: f32) -> f32 {
  let pair = max(value, subgroupShuffleXor(value, 1u));
  let four = max(pair, subgroupShuffleXor(pair, 2u));
  return max(four, subgroupShuffleXor(four, 4u));
}

fn sum_of_octet(value: i32) -> i32 {
  let pair = value + subgroupShuffleXor(value, 1u);
  let four = pair + subgroupShuffleXor(pair, 2u);
  return four + subgroupShuffleXor(four, 4u);
}

// Gives the sum of squares of what the lane read of the residual stream.
fn round_input(lane: u32) -> f32 {
  var x: array<vec4<f32>, QUADS>;
  var weights: array<vec2<u32>, QUADS>;
  for (var k = 0u; k < QUADS; k++) {
    let quad = min(lane + k * WORKGROUP_SIZE, IN / 4u - 1u);
    x[k] = hidden[quad];
    weights[k] = norm_weight[quad];
  }
  var squares = 0.0;
  for (var k = 0u; k < QUADS; k++) {
    let quad = lane + k * WORKGROUP_SIZE;
    // IN is a multiple of 32, so that octets are within it or behind its end as a whole.
    let within = quad < IN / 4u;
    squares += select(0.0, dot(x[k], x[k]), within);
    let value = x[k] * vec4<f32>(unpack2x16float(weights[k].x), unpack2x16float(weights[k].y));
    let size = abs(value);
    let scale = largest_of_octet(max(max(size.x, size.y), max(size.z, size.w))) / 127.0;
    let q = vec4<i32>(round(value * select(0.0, 1.0 / scale, scale > 1e-30)));
    let sum = sum_of_octet(q.x + q.y + q.z + q.w);
    // Of every eight elements the even ones are in one word and the odd ones in the next (activation-block.wgsl).
    let mine = pack4xI8(q.xzyw);
    let other = subgroupShuffleXor(mine, 1u);
    let word = select((other >> 16u) | (mine & 0xffff0000u), (mine & 0xffffu) | (other << 16u), lane % 2u == 0u);
    // A vector is written whole: writing its components one by one may be a race.
    let words = vec4<u32>(
      word, subgroupShuffleXor(word, 1u), subgroupShuffleXor(word, 2u), subgroupShuffleXor(word, 3u),
    );
    if (within && lane % 4u == 0u) {
      weighted_words[quad / 4u] = words;
    }
    if (within && lane % 8u == 0u) {
      weighted_scales[quad / 8u] = vec2<f32>(scale, scale * f32(sum));
    }
  }
  return squares;
}
