// Four rows of x, read by every invocation for itself. Needs no feature.

// Where they begin, from a row on; rows behind the last one repeat it.
fn four_rows(first: u32, lane: u32) -> vec4<u32> {
  return min(vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(MAX_ROWS - 1u)) * (IN / 4u);
}

// What eight inputs of each row add to an output.
fn products(rows: vec4<u32>, octet: u32, w: array<vec4<f32>, 2>) -> vec4<f32> {
  let at = rows + 2u * octet;
  return vec4<f32>(
    dot(x[at.x], w[0]) + dot(x[at.x + 1u], w[1]),
    dot(x[at.y], w[0]) + dot(x[at.y + 1u], w[1]),
    dot(x[at.z], w[0]) + dot(x[at.z + 1u], w[1]),
    dot(x[at.w], w[0]) + dot(x[at.w + 1u], w[1]),
  );
}
