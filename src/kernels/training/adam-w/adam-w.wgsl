// AdamW (Loshchilov and Hutter, arXiv:1711.05101), as torch.optim.AdamW computes it, with the gradient clipped:
//   g  = clip[1] * gradient
//   m  = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
//   p  = p - learning_rate weight_decay p - step_size m / (sqrt(v) / correction2 + epsilon)
// with step_size = learning_rate / (1 - beta1^t) and correction2 = sqrt(1 - beta2^t), and the gradient becomes zero.
// Where clip[1] is 0, which says that the norm is not finite, parameter and moments stay.
//
// settings                  [1]      see below
// clip                      [2]      f32 norm of the gradient, scale
// parameter, first, second  [COUNT]  f32
// gradient                  [COUNT]  f32
//
// Dispatch: WORKGROUPS workgroups in x, whose invocations go on in strides.

struct Settings {
  decay: f32,
  step_size: f32,
  beta1: f32,
  rest1: f32,
  beta2: f32,
  rest2: f32,
  correction2: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> settings: Settings;
@group(0) @binding(1) var<storage, read> clip: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> first: array<f32>;
@group(0) @binding(4) var<storage, read_write> second: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let scale = clip[1];
  for (var i = id.x; i < COUNT; i += WORKGROUPS * WORKGROUP_SIZE) {
    if (scale > 0.0) {
      let g = scale * gradient[i];
      let m = settings.beta1 * first[i] + settings.rest1 * g;
      let v = settings.beta2 * second[i] + settings.rest2 * g * g;
      first[i] = m;
      second[i] = v;
      let step = settings.step_size * m / (sqrt(v) / settings.correction2 + settings.epsilon);
      parameter[i] = settings.decay * parameter[i] - step;
    }
    gradient[i] = 0.0;
  }
}
