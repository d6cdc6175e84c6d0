// Rows of a gradient as f16, each multiplied by a power of two that brings its largest element to 2^14 .. 2^15, just below
// the end of f16's range: elements keep their 11 bits down to 2^-28 of the largest, however small the gradient is.
//
// dy      [rows, OUT_STRIDE]          f32, of which the columns OUT_OFFSET .. OUT_OFFSET + OUT - 1 are read
// unscale [MAX_ROWS]                  f32, what undoes the multiplication
// packed  [MAX_ROWS, 8 * OUT_OCTETS]  f16 in pairs, zero behind column OUT - 1
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> unscale: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<u32>;

const PAIRS = 4u * OUT_OCTETS;

var<workgroup> largest: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let first = row * OUT_STRIDE + OUT_OFFSET;
  var own = 0.0;
  for (var i = lane; i < OUT; i += WORKGROUP_SIZE) {
    own = max(own, abs(dy[first + i]));
  }
  largest[lane] = own;
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      largest[lane] = max(largest[lane], largest[lane + half]);
    }
  }
  workgroupBarrier();

  // In terms of biased exponents, 127 being that of 1. Rows of zeros and of infinities get what is possible.
  let exponent = bitcast<u32>(largest[0]) >> 23u;
  let scale_exponent = clamp(127u + 14u + 127u - exponent, 1u, 253u);
  let scale = bitcast<f32>(scale_exponent << 23u);
  if (lane == 0u) {
    unscale[row] = bitcast<f32>((254u - scale_exponent) << 23u);
  }
  for (var i = lane; i < PAIRS; i += WORKGROUP_SIZE) {
    var pair = vec2<f32>();
    if (2u * i < OUT) {
      pair.x = dy[first + 2u * i] * scale;
    }
    if (2u * i + 1u < OUT) {
      pair.y = dy[first + 2u * i + 1u] * scale;
    }
    packed[row * PAIRS + i] = pack2x16float(pair);
  }
}
