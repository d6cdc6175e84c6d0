// Dropout without a mask in memory: m is 0 with the probability threshold / 2^32, else keep_scale, by a hash of the element and of
// the seed. Needs pcg3d (sampling/sample/random.wgsl).
//
// parameters  [1]  (seed u32, threshold u32, keep_scale f32, unused), at DROPOUT_BINDING

struct Dropout {
  seed: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(DROPOUT_BINDING) var<storage, read> parameters: Dropout;

// m of the four elements from 4 * four on.
fn kept_four(four: u32) -> vec4<f32> {
  var kept: vec4<f32>;
  for (var i = 0u; i < 4u; i++) {
    let dropped = pcg3d(vec3<u32>(parameters.seed, 4u * four + i, 0u)).x < parameters.threshold;
    kept[i] = select(parameters.keep_scale, 0.0, dropped);
  }
  return kept;
}
