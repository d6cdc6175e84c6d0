// One look at a row of logits and scores.

// Of the row's logits and scores, as far as all lanes need it.
struct Survey {
  best: f32,
  worst: f32,
  problem: u32,
}

var<workgroup> surveyed: Survey;
var<workgroup> problems: atomic<u32>;
var<workgroup> largest_logit: atomic<u32>;
var<workgroup> best_score: atomic<u32>;
var<workgroup> worst_score: atomic<u32>;
var<workgroup> exponentials_high: atomic<u32>;
var<workgroup> exponentials_low: atomic<u32>;
var<workgroup> chosen: atomic<u32>;

// One look at the row: whether logits are finite, the softmax sum of the logits relative to the largest, the best and
// the worst score, and the lowest id of the best score as `chosen`.
fn survey(row_start: u32, lane: u32) -> Survey {
  var exponents = 0u;
  var largest = LOWEST;
  var total = 0.0;
  var best = ordered(BANNED_SCORE);
  var best_id = NO_ID;
  var worst = NO_ID;
  for (var first = lane; first < VOCAB; first += 4u * WORKGROUP_SIZE) {
    var logit = vec4<f32>(LOWEST);
    for (var j = 0u; j < 4u; j++) {
      let id = first + j * WORKGROUP_SIZE;
      if (id < VOCAB) {
        // The test is on integers because floats may be assumed to be finite.
        let bits = logits[row_start + id];
        exponents = max(exponents, bits & EXPONENT);
        logit[j] = bitcast<f32>(bits);
        let score = ordered(scores[row_start + id]);
        if (score > best) {
          best = score;
          best_id = id;
        }
        if (score > ordered(BANNED_SCORE)) {
          worst = min(worst, score);
        }
      }
    }
    let larger = max(max(largest, max(logit.x, logit.y)), max(logit.z, logit.w));
    total = total * exp(largest - larger) + dot(exp(logit - larger), vec4<f32>(1.0));
    largest = larger;
  }
  if (exponents == EXPONENT) {
    atomicOr(&problems, FLAG_NOT_FINITE);
  }
  atomicMax(&largest_logit, ordered(largest));
  atomicMax(&best_score, best);
  atomicMin(&worst_score, worst);
  workgroupBarrier();

  if (best_id != NO_ID && best == atomicLoad(&best_score)) {
    atomicMin(&chosen, best_id);
  }
  // In 2^-32ths, added as integers so that the order of lanes is of no matter. A lane's share stays below 2^16.
  let share = total * exp(largest - unordered(atomicLoad(&largest_logit))) * 65536.0;
  atomicAdd(&exponentials_high, u32(share));
  atomicAdd(&exponentials_low, u32(fract(share) * 65536.0));
  workgroupBarrier();

  if (lane == 0u) {
    let problem = atomicLoad(&problems);
    let banned = select(0u, FLAG_ALL_BANNED, atomicLoad(&chosen) == NO_ID);
    surveyed = Survey(
      unordered(atomicLoad(&best_score)),
      unordered(atomicLoad(&worst_score)),
      select(banned, problem, problem != 0u),
    );
  }
  return workgroupUniformLoad(&surveyed);
}
