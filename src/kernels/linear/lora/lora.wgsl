// The terms that adapters (LoRA) add to a product: y[r, n] += scale * sum_j B[n, j] * (sum_i A[j, i] * x[r, i]), where each row
// has an adapter of its own, or none
//
// factors   octets of f16: of every product of every adapter A [rank, IN], then B [OUT, rank]; the rank is filled up to a
//           multiple of 8 with zeros, and so are the rows of A
// products  [adapters]  vec4<u32>: first octet of A, first octet of B, octets of the rank (0: the product is left alone),
//                       scale as f32
// slots     [slots]     vec2<u32>: number of the adapter and 1 (0: none), strength as f32
// rows      [rows]      vec4<u32> (token, slot, position, prefix length)
// x         [rows, IN]  f32
//
// What x stands for and where y is belongs to more modules:
//   input-*.wgsl   weigh
//   output-*.wgsl  add_four
//
// Every workgroup computes the few numbers between A and B for itself: one dispatch behind the product is all that a row with an
// adapter costs. A product that many rows go through is a workgroup a row (TILES is 1).
//
// Dispatch: TILES in x, rows in y.

@group(0) @binding(0) var<storage, read> factors: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> products: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> slots: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> x: array<vec4<f32>>;

const IN_FOURS = IN / 4u;
const IN_OCTETS = (IN + 7u) / 8u;

var<workgroup> inner: array<f32, MAX_RANK>;

fn octet_dot(octet: vec4<u32>, low: vec4<f32>, high: vec4<f32>) -> f32 {
  return dot(vec4<f32>(unpack2x16float(octet.x), unpack2x16float(octet.y)), low)
    + dot(vec4<f32>(unpack2x16float(octet.z), unpack2x16float(octet.w)), high);
}

fn input_four(row: u32, four: u32) -> vec4<f32> {
  // The last octet of a row may be half of one.
  return select(vec4<f32>(), x[row * IN_FOURS + min(four, IN_FOURS - 1u)], four < IN_FOURS);
}

fn inner_four(first: u32) -> vec4<f32> {
  return vec4<f32>(inner[first], inner[first + 1u], inner[first + 2u], inner[first + 3u]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y;
  let slot = slots[rows[row].y];
  if (slot.x == 0u) {
    return;
  }
  let product = products[slot.x - 1u];
  var squares = 0.0;
  for (var k = 0u; k < product.z; k++) {
    var low = vec4<f32>();
    var high = vec4<f32>();
    squares = 0.0;
    for (var i = lane; i < IN_OCTETS; i += WORKGROUP_SIZE) {
      let raw0 = input_four(row, 2u * i);
      let raw1 = input_four(row, 2u * i + 1u);
      squares += dot(raw0, raw0) + dot(raw1, raw1);
      let x0 = weigh(raw0, 2u * i);
      let x1 = weigh(raw1, 2u * i + 1u);
      for (var j = 0u; j < 4u; j++) {
        let a = product.x + (8u * k + j) * IN_OCTETS + i;
        low[j] += octet_dot(factors[a], x0, x1);
        high[j] += octet_dot(factors[a + 4u * IN_OCTETS], x0, x1);
      }
    }
    low = reduce_sum(low, lane);
    high = reduce_sum(high, lane);
    if (lane < 4u) {
      inner[8u * k + lane] = low[lane];
      inner[8u * k + 4u + lane] = high[lane];
    }
  }
  if (NORM) {
    squares = reduce_sum(vec4<f32>(squares, 0.0, 0.0, 0.0), lane).x;
  }
  workgroupBarrier();

  let factor = select(1.0, inverseSqrt(squares / f32(IN) + EPSILON), NORM);
  let scale = factor * bitcast<f32>(product.w) * bitcast<f32>(slot.y);
  for (var four = workgroup.x * WORKGROUP_SIZE + lane; four < OUT / 4u; four += TILES * WORKGROUP_SIZE) {
    var sum = vec4<f32>();
    for (var k = 0u; k < product.z; k++) {
      let h0 = inner_four(8u * k);
      let h1 = inner_four(8u * k + 4u);
      for (var n = 0u; n < 4u; n++) {
        sum[n] += octet_dot(factors[product.y + (4u * four + n) * product.z + k], h0, h1);
      }
    }
    if (product.z > 0u) {
      add_four(row, four, scale * sum);
    }
  }
}
