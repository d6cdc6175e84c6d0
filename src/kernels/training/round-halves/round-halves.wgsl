// f32 rounded to f16 in pairs: y = f16(x), to the nearest, ties to even, by common/half.wgsl in integer arithmetic. Beyond
// f16's range the result is +-65504, which NaN becomes too.
//
// x  [COUNT]           f32
// y  [ceil(COUNT / 2)] u32, element 2i in the low half of word i; an odd end has zero in the high half
//
// Dispatch: WORKGROUPS workgroups in x, whose invocations go on in strides, a word at a time.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

const WORDS = (COUNT + 1u) / 2u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  for (var i = id.x; i < WORDS; i += WORKGROUPS * WORKGROUP_SIZE) {
    var word = float_to_half(x[2u * i]);
    if (2u * i + 1u < COUNT) {
      word |= float_to_half(x[2u * i + 1u]) << 16u;
    }
    y[i] = word;
  }
}
