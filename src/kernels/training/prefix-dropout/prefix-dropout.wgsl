// Dropout of a prefix on its way from the encoder's rows to the layers, and back for gradients:
//   forward:   layers[l][p][i] = m(p, l, i) * rows[p][l * LAYER_WIDTH + i]
//   BACKWARD:  rows[p][l * LAYER_WIDTH + i] += gradient_scale * m(p, l, i) * layers[l][p][i]
// m is 0 with the probability threshold / 2^32, else keep_scale. It is a hash of the element and of the seed, so that
// the way back needs no mask in memory: m = pcg3d(seed, element, 0).x < threshold ? 0 : keep_scale.
//
// parameters  [1]                              (seed u32, threshold u32, keep_scale f32, gradient_scale f32)
// rows        [PREFIX, LAYERS * LAYER_WIDTH]   f32
// layers      [LAYERS, LAYER_STRIDE]           f32, of which PREFIX * LAYER_WIDTH are used in each line
//
// Dispatch: columns of rows in x, rows in y.

struct Parameters {
  seed: u32,
  threshold: u32,
  keep_scale: f32,
  gradient_scale: f32,
}

@group(0) @binding(0) var<storage, read> parameters: Parameters;
@group(0) @binding(1) var<storage, read_write> rows: array<f32>;
@group(0) @binding(2) var<storage, read_write> layers: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= LAYERS * LAYER_WIDTH) {
    return;
  }
  let row = id.y;
  let at = row * LAYERS * LAYER_WIDTH + id.x;
  let in_layer = id.x / LAYER_WIDTH * LAYER_STRIDE + row * LAYER_WIDTH + id.x % LAYER_WIDTH;
  let dropped = pcg3d(vec3<u32>(parameters.seed, at, 0u)).x < parameters.threshold;
  let kept = select(parameters.keep_scale, 0.0, dropped);
  if (BACKWARD) {
    rows[at] += parameters.gradient_scale * kept * layers[in_layer];
  } else {
    layers[in_layer] = kept * rows[at];
  }
}
