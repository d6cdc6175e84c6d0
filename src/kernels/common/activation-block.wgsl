// Activations in 8 bits, in blocks of 32: x = scale * q with scale = max |x| / 127 and q = round(x / scale).
//
// A block is eight words of four signed bytes. Of every eight elements, the even ones are in one word and the odd
// ones in the next, which is the order in which the nibbles of a 4-bit weight come apart. With it go two numbers:
// the scale, and scale * sum(q), which the bias of a weight is multiplied with.

struct ActivationBlock {
  words: array<u32, 8>,
  scale_and_sum: vec2<f32>,
}

fn quantize_activations(x: array<vec4<f32>, 8>) -> ActivationBlock {
  var largest = vec4<f32>(0.0);
  for (var i = 0u; i < 8u; i++) {
    largest = max(largest, abs(x[i]));
  }
  let scale = max(max(largest.x, largest.y), max(largest.z, largest.w)) / 127.0;
  let inverse = select(0.0, 1.0 / scale, scale > 1e-30);

  var block: ActivationBlock;
  var sum = vec4<i32>(0);
  for (var octet = 0u; octet < 4u; octet++) {
    let low = vec4<i32>(round(x[2u * octet] * inverse));
    let high = vec4<i32>(round(x[2u * octet + 1u] * inverse));
    block.words[2u * octet] = pack4xI8(vec4<i32>(low.x, low.z, high.x, high.z));
    block.words[2u * octet + 1u] = pack4xI8(vec4<i32>(low.y, low.w, high.y, high.w));
    sum += low + high;
  }
  block.scale_and_sum = vec2<f32>(scale, scale * f32(sum.x + sum.y + sum.z + sum.w));
  return block;
}
