// RMSNorm into f16, as matrix products on subgroup matrices read it:
//   y[r, i] = x[r, i] / sqrt(mean_i(x[r, i]^2) + EPSILON) * weight[i]
//
// x       [rows, WIDTH]  f32
// weight  [WIDTH]        f16 in pairs
// y       [rows, WIDTH]  f16, in the tiles of common/half-tiles.wgsl
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<u32>>;

const OCTETS = WIDTH / 8u;
// Kept between the sum and the product, so that x is read once.
const OWN = (OCTETS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

fn weighted(value: vec4<f32>, four: u32, scale: f32) -> vec4<f32> {
  let w = weight[four];
  return value * scale * vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  var values: array<vec4<f32>, 2u * OWN>;
  var squares = 0.0;
  for (var i = 0u; i < OWN; i++) {
    let octet = lane + i * WORKGROUP_SIZE;
    if (octet < OCTETS) {
      let at = row * (WIDTH / 4u) + octet * 2u;
      values[2u * i] = x[at];
      values[2u * i + 1u] = x[at + 1u];
      squares += dot(values[2u * i], values[2u * i]) + dot(values[2u * i + 1u], values[2u * i + 1u]);
    }
  }
  let mean = reduce_sum(vec4<f32>(squares, 0.0, 0.0, 0.0), lane).x / f32(WIDTH);
  let scale = inverseSqrt(mean + EPSILON);
  for (var i = 0u; i < OWN; i++) {
    let octet = lane + i * WORKGROUP_SIZE;
    if (octet < OCTETS) {
      let low = weighted(values[2u * i], octet * 2u, scale);
      let high = weighted(values[2u * i + 1u], octet * 2u + 1u, scale);
      y[half_tile_octet(row, octet, OCTETS)] = half_octet(low, high);
    }
  }
}
