// Cross entropy of rows of logits with one target each, and its gradient in place of the logits:
//   loss[r] = log(sum_v exp(x[r, v])) - x[r, target[r]],   dx[r, v] = softmax(x[r])[v] - (v == target[r] ? 1 : 0)
// The gradient is that of the sum of the losses; whoever wants their mean divides later, where it costs less and where
// small numbers no longer pass through f16.
//
// x        [rows, VOCAB]  f32, becomes the gradient
// targets  [rows]         u32
// losses   [rows]         f32; NaN where a logit is NaN or infinite
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read_write> losses: array<u32>;

const LOWEST = -3.4e38;
const EXPONENT = 0x7f800000u;
const NAN = 0x7fc00000u;

// Largest logit, sum of exponentials relative to it, and exponent bits: of one invocation, then of all.
var<workgroup> partial: array<vec3<f32>, WORKGROUP_SIZE>;

fn merge(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
  let largest = max(a.x, b.x);
  return vec3<f32>(largest, a.y * exp(a.x - largest) + b.y * exp(b.x - largest), max(a.z, b.z));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x * VOCAB;
  let label = targets[workgroup.x];

  var mine = vec3<f32>(LOWEST, 0.0, 0.0);
  for (var v = lane; v < VOCAB; v += WORKGROUP_SIZE) {
    let logit = x[row + v];
    if (logit > mine.x) {
      mine.y *= exp(mine.x - logit);
      mine.x = logit;
    }
    mine.y += exp(logit - mine.x);
    // On integers, because floats may be assumed to be finite.
    if ((bitcast<u32>(logit) & EXPONENT) == EXPONENT) {
      mine.z = 1.0;
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
  let all = partial[0];

  // The target's logit is read before its place is overwritten.
  if (lane == 0u) {
    let loss = log(all.y) + all.x - x[row + label];
    losses[workgroup.x] = select(bitcast<u32>(loss), NAN, all.z > 0.0);
  }
  storageBarrier();
  for (var v = lane; v < VOCAB; v += WORKGROUP_SIZE) {
    x[row + v] = exp(x[row + v] - all.x) / all.y - select(0.0, 1.0, v == label);
  }
}
