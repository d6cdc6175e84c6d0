// Top-k and top-p without sorting: an exact radix selection over integer keys, by histograms in workgroup memory.
//
// An id's distance is (best score - its score) / temperature >= 0, in nats. Its key is the distance as a 30-bit
// fixed-point number over the range of distances in the row; ids with equal keys are tied. Its weight is
// round(exp(-distance) * 2^31). All sums are of integers, so that no order of additions can change a result.
//
// A histogram's bin adds up the low and the high 16 bits of weights apart: 2^16 weights cannot overflow either.
// Sums are kept as vec2(high, low) = high * 2^16 + low with low < 2^16.

const KEY_BITS = 30u;
// Slightly less than 2^30, because the product of distance and scale is rounded.
const KEY_RANGE = 1073741312.0;
const LEVELS = KEY_BITS / BIN_BITS;
const BINS = 1u << BIN_BITS;
const SEGMENTS = 32u;
const SEGMENT_BINS = BINS / SEGMENTS;
// e^-22 * 2^31 still rounds to a weight of 1; ids further below the best are never drawn.
const MAX_DISTANCE = 22.0;
const OUTSIDE = 1e30;

// The ids that can still be drawn: those of keys up to `limit`.
struct Candidates {
  row_start: u32,
  best: f32,
  inverse_temperature: f32,
  key_scale: f32,
  limit: u32,
  // Elements to look at: the ids 0..count-1, or, once these are few, the first `count` ids of `list`.
  count: u32,
  listed: bool,
}

var<workgroup> bins_low: array<atomic<u32>, BINS>;
var<workgroup> bins_high: array<atomic<u32>, BINS>;
var<workgroup> segments: array<vec2<u32>, SEGMENTS>;
var<workgroup> list: array<u32, LIST_CAPACITY>;
var<workgroup> list_length: atomic<u32>;
var<workgroup> decided: vec2<u32>;

fn sum(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.y + b.y;
  return vec2<u32>(a.x + b.x + (low >> 16u), low & 0xffffu);
}

fn difference(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let borrow = select(0u, 1u, a.y < b.y);
  return vec2<u32>(a.x - b.x - borrow, (a.y + (borrow << 16u)) - b.y);
}

fn less(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.x < b.x || (a.x == b.x && a.y < b.y);
}

// fraction * total, at least 1 and at most total.
fn portion(total: vec2<u32>, fraction: f32) -> vec2<u32> {
  let high = f32(total.x) * fraction;
  let low = fract(high) * 65536.0 + f32(total.y) * fraction;
  let result = sum(vec2<u32>(u32(high), 0u), vec2<u32>(0u, u32(low)));
  if (less(total, result)) {
    return total;
  }
  return select(result, vec2<u32>(0u, 1u), result.x == 0u && result.y == 0u);
}

fn bin_sum(bin: u32) -> vec2<u32> {
  let low = atomicLoad(&bins_low[bin]);
  return vec2<u32>(atomicLoad(&bins_high[bin]) + (low >> 16u), low & 0xffffu);
}

fn candidate_id(candidates: Candidates, element: u32) -> u32 {
  if (candidates.listed) {
    return list[element];
  }
  return element;
}

// The distances of elements first, first + WORKGROUP_SIZE, ...: four, so that four loads are under way at once.
fn distances(candidates: Candidates, first: u32) -> vec4<f32> {
  var result = vec4<f32>(OUTSIDE);
  for (var j = 0u; j < 4u; j++) {
    let element = first + j * WORKGROUP_SIZE;
    if (element < candidates.count) {
      let score = scores[candidates.row_start + candidate_id(candidates, element)];
      if (score > BANNED_SCORE) {
        result[j] = (candidates.best - score) * candidates.inverse_temperature;
      }
    }
  }
  return result;
}

fn key_of(candidates: Candidates, distance: f32) -> u32 {
  return u32(distance * candidates.key_scale);
}

// The bin in which the running sum reaches the target, and the sum before that bin.
struct Crossing {
  bin: u32,
  before: vec2<u32>,
}

fn find_crossing(goal: vec2<u32>) -> Crossing {
  var before = vec2<u32>(0u);
  var segment = 0u;
  for (; segment < SEGMENTS - 1u; segment++) {
    let next = sum(before, segments[segment]);
    if (!less(next, goal)) {
      break;
    }
    before = next;
  }
  var bin = segment * SEGMENT_BINS;
  let last = bin + SEGMENT_BINS - 1u;
  for (; bin < last; bin++) {
    let next = sum(before, bin_sum(bin));
    if (!less(next, goal)) {
      break;
    }
    before = next;
  }
  return Crossing(bin, before);
}

// Lowers the limit to the least key up to which the candidates hold `fraction` of all candidates' probability,
// or, where `quantity` > 0, up to which there are `quantity` candidates. Ties at the limit all stay.
fn keep_best(all: Candidates, quantity: u32, fraction: f32, lane: u32) -> Candidates {
  var candidates = all;
  var prefix = 0u;
  var goal = vec2<u32>(0u);
  for (var level = 0u; level < LEVELS; level++) {
    let shift = BIN_BITS * (LEVELS - 1u - level);
    for (var bin = lane; bin < BINS; bin += WORKGROUP_SIZE) {
      atomicStore(&bins_low[bin], 0u);
      atomicStore(&bins_high[bin], 0u);
    }
    if (lane == 0u && !candidates.listed) {
      atomicStore(&list_length, 0u);
    }
    workgroupBarrier();

    // The second look at the vocabulary also lists the ids up to the bin just found: usually few.
    let listing = level == 1u && !candidates.listed;
    for (var first = lane; first < candidates.count; first += 4u * WORKGROUP_SIZE) {
      let distance = distances(candidates, first);
      for (var j = 0u; j < 4u; j++) {
        if (distance[j] >= MAX_DISTANCE) {
          continue;
        }
        let key = key_of(candidates, distance[j]);
        if (key > candidates.limit) {
          continue;
        }
        let known = key >> (shift + BIN_BITS);
        if (known == prefix) {
          let weight = select(u32(exp(-distance[j]) * 0x1p31f + 0.5), 1u, quantity > 0u);
          let bin = (key >> shift) & (BINS - 1u);
          atomicAdd(&bins_low[bin], weight & 0xffffu);
          atomicAdd(&bins_high[bin], weight >> 16u);
        }
        if (listing && known <= prefix && atomicLoad(&list_length) <= LIST_CAPACITY) {
          let end = atomicAdd(&list_length, 1u);
          if (end < LIST_CAPACITY) {
            list[end] = first + j * WORKGROUP_SIZE;
          }
        }
      }
    }
    workgroupBarrier();

    for (var segment = lane; segment < SEGMENTS; segment += WORKGROUP_SIZE) {
      var segment_sum = vec2<u32>(0u);
      for (var bin = 0u; bin < SEGMENT_BINS; bin++) {
        segment_sum = sum(segment_sum, bin_sum(segment * SEGMENT_BINS + bin));
      }
      segments[segment] = segment_sum;
    }
    workgroupBarrier();

    if (lane == 0u) {
      if (level == 0u) {
        var total = vec2<u32>(0u);
        for (var segment = 0u; segment < SEGMENTS; segment++) {
          total = sum(total, segments[segment]);
        }
        goal = portion(total, fraction);
        if (quantity > 0u) {
          let wanted = vec2<u32>(quantity >> 16u, quantity & 0xffffu);
          goal = select(wanted, total, vec2<bool>(less(total, wanted)));
        }
      }
      let crossing = find_crossing(goal);
      goal = difference(goal, crossing.before);
      decided = vec2<u32>((prefix << BIN_BITS) | crossing.bin, atomicLoad(&list_length));
    }
    let decision = workgroupUniformLoad(&decided);
    prefix = decision.x;
    if (listing && decision.y <= LIST_CAPACITY) {
      candidates.listed = true;
      candidates.count = decision.y;
    }
  }
  candidates.limit = prefix;
  return candidates;
}
