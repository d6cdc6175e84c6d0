// Four rows of x: of each four invocations, each reads one row for all. Needs `subgroups` of four or more. Assumed: a
// subgroup holds consecutive lanes, as implementations lay out workgroups of one dimension.

// Where the row begins that the invocation reads, of four from one on; rows behind the last one repeat it.
fn four_rows(first: u32, lane: u32) -> u32 {
  return min(first + lane % 4u, MAX_ROWS - 1u) * (IN / 4u);
}

// What eight inputs of each row add to an output.
fn products(row: u32, octet: u32, w: array<vec4<f32>, 2>) -> vec4<f32> {
  let low = x[row + 2u * octet];
  let high = x[row + 2u * octet + 1u];
  return vec4<f32>(
    dot(subgroupBroadcast(low, 0u), w[0]) + dot(subgroupBroadcast(high, 0u), w[1]),
    dot(subgroupBroadcast(low, 1u), w[0]) + dot(subgroupBroadcast(high, 1u), w[1]),
    dot(subgroupBroadcast(low, 2u), w[0]) + dot(subgroupBroadcast(high, 2u), w[1]),
    dot(subgroupBroadcast(low, 3u), w[0]) + dot(subgroupBroadcast(high, 3u), w[1]),
  );
}
