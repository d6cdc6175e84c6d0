// Norm of the gradient from its parts, and what the gradient is multiplied by so that its norm is at most max_norm:
//   norm = sqrt(sum_i parts[i]),   scale = min(1, max_norm / (norm + 1e-6))
// The 1e-6 is that of torch.nn.utils.clip_grad_norm_. Where the norm is no finite number, scale is 0 and so says to the
// optimizer that there is nothing to learn from.
//
// parts     [COUNT]  f32
// settings  [1]      f32 max_norm; 0 does not clip
// result    [2]      f32 norm, scale
//
// Dispatch: one workgroup.

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

const EXPONENT = 0x7f800000u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < COUNT; i += WORKGROUP_SIZE) {
    sum += parts[i];
  }
  let squares = reduce_sum(vec4<f32>(sum, 0.0, 0.0, 0.0), lane).x;
  if (lane == 0u) {
    // On integers, because floats may be assumed to be finite.
    let finite = (bitcast<u32>(squares) & EXPONENT) != EXPONENT;
    let norm = sqrt(squares);
    let limit = settings[0];
    let scale = select(1.0, min(1.0, limit / (norm + 1e-6)), limit > 0.0);
    result[0] = select(squares, norm, finite);
    result[1] = select(0.0, scale, finite);
  }
}
