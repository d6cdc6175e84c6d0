// Log-probabilities of rows of logits, in nats: of a target of each row, and of its TOP likeliest ids.
//   log p[v] = x[v] - log(sum_u exp(x[u]))
//
// logits   [rows, VOCAB]          f32
// targets  [rows]                 u32; NO_ID where a row has none
// outputs  [rows, 1 + 2 * TOP]    u32: the target's log-probability (f32 bits), then (id, log-probability) of the
//                                 likeliest ids, the likeliest first, the lower of tied ids first; ids that a small
//                                 vocabulary lacks are NO_ID. NaN where a logit of the row is NaN or infinite, and for
//                                 NO_ID.
//
// Each lane looks at VOCAB / WORKGROUP_SIZE logits once, and knows the best of them. TOP times the best of all lanes is
// put out, and the lane that it belongs to looks for its next one: nobody else has to look again.
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read_write> outputs: array<u32>;

const NAN = 0x7fc00000u;

// Largest logit, sum of exponentials relative to it, and whether a logit is not finite: of one lane, then of all.
var<workgroup> partial: array<vec3<f32>, WORKGROUP_SIZE>;
var<workgroup> best_key: atomic<u32>;
var<workgroup> best_id: atomic<u32>;

fn merge(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
  let largest = max(a.x, b.x);
  return vec3<f32>(largest, a.y * exp(a.x - largest) + b.y * exp(b.x - largest), max(a.z, b.z));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x * VOCAB;
  let output = workgroup.x * (1u + 2u * TOP);

  var mine = vec3<f32>(LOWEST, 0.0, 0.0);
  // The lane's best id that was not put out yet; no finite logit has the key 0.
  var key = 0u;
  var id = NO_ID;
  for (var v = lane; v < VOCAB; v += WORKGROUP_SIZE) {
    let logit = logits[row + v];
    if (logit > mine.x) {
      mine.y *= exp(mine.x - logit);
      mine.x = logit;
    }
    mine.y += exp(logit - mine.x);
    // On integers, because floats may be assumed to be finite.
    if ((bitcast<u32>(logit) & EXPONENT) == EXPONENT) {
      mine.z = 1.0;
    }
    if (ordered(logit) > key) {
      key = ordered(logit);
      id = v;
    }
  }
  partial[lane] = mine;
  workgroupBarrier();
  for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride >>= 1u) {
    if (lane < stride) {
      partial[lane] = merge(partial[lane], partial[lane + stride]);
    }
    workgroupBarrier();
  }
  let finite = partial[0].z == 0.0;
  let logarithm = partial[0].x + log(partial[0].y);

  if (lane == 0u) {
    let wanted = targets[workgroup.x];
    var bits = NAN;
    if (finite && wanted < VOCAB) {
      bits = bitcast<u32>(logits[row + wanted] - logarithm);
    }
    outputs[output] = bits;
  }
  for (var rank = 0u; rank < TOP; rank++) {
    if (lane == 0u) {
      atomicStore(&best_key, 0u);
      atomicStore(&best_id, NO_ID);
    }
    workgroupBarrier();
    atomicMax(&best_key, key);
    workgroupBarrier();
    if (key == atomicLoad(&best_key)) {
      atomicMin(&best_id, id);
    }
    workgroupBarrier();
    let chosen = atomicLoad(&best_id);
    if (id == chosen && (id != NO_ID || lane == 0u)) {
      outputs[output + 1u + 2u * rank] = id;
      outputs[output + 2u + 2u * rank] =
        select(NAN, bitcast<u32>(unordered(key) - logarithm), finite && id != NO_ID);
      let last = key;
      key = 0u;
      id = NO_ID;
      for (var v = lane; v < VOCAB; v += WORKGROUP_SIZE) {
        let other = ordered(logits[row + v]);
        // Behind the one put out, in the order of keys and then of ids.
        if (other > key && (other < last || (other == last && v > chosen))) {
          key = other;
          id = v;
        }
      }
    }
    workgroupBarrier();
  }
}
