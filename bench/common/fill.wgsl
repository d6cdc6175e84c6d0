// Seeded random contents: word i of the target becomes
//   KIND 0: 32 random bits                  (quantized weights)
//   KIND 1: f32, uniform in center +- range (activations)
//   KIND 2: two f16, likewise               (scales, biases, norms, dense weights, caches)
//   KIND 3: the bits of center              (poison)
//
// parameters  [4]  u32 (seed, kind, bits of center, bits of range)
// target      [n]  u32
//
// Dispatch: any number of workgroups in x; they stride over the target.

@group(0) @binding(0) var<storage, read> parameters: vec4<u32>;
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>;

// The permutation of PCG-RXS-M-XS-32 (O'Neill 2014).
fn hash(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) invocation: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let center = bitcast<f32>(parameters.z);
  let range = bitcast<f32>(parameters.w);
  for (var i = invocation.x; i < arrayLength(&target_words); i += workgroups.x * WORKGROUP_SIZE) {
    let bits = hash(i ^ hash(parameters.x));
    switch parameters.y {
      case 0u: {
        target_words[i] = bits;
      }
      case 1u: {
        target_words[i] = bitcast<u32>(center + range * (f32(bits >> 8u) * 0x1p-23 - 1.0));
      }
      case 2u: {
        let pair = vec2<f32>(f32(bits & 0xffffu), f32(bits >> 16u)) * 0x1p-15 - 1.0;
        target_words[i] = pack2x16float(center + range * pair);
      }
      default: {
        target_words[i] = parameters.z;
      }
    }
  }
}
