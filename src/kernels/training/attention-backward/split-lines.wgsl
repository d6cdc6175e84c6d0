// Tiles of the lines that pack-lines.wgsl rounds, for keys-subgroup.wgsl, which declares `lines` and `facts`: pairs of a row
// and one of the heads of a split, numbered row by row.

const LINES = 32u;
const SPLIT_HEADS = GROUP_HEADS / SPLITS;

// What an invocation moves of a tile, on its way from storage to workgroup memory.
struct Moved {
  queries: array<vec4<u32>, 4>,
  gradients: array<vec4<u32>, 4>,
  fact: vec4<f32>,
}

fn load_tile(first_head: u32, first: u32, end: u32, lane: u32) -> Moved {
  var moved = Moved();
  for (var i = 0u; i < 4u; i++) {
    let line = min(first + lane / 16u + i * 8u, end - 1u);
    let at = line / SPLIT_HEADS * HEADS + first_head + line % SPLIT_HEADS;
    moved.queries[i] = lines[at * 16u + lane % 16u];
    moved.gradients[i] = lines[(MAX_ROWS * HEADS + at) * 16u + lane % 16u];
  }
  if (lane < LINES) {
    let line = min(first + lane, end - 1u);
    let row = line / SPLIT_HEADS;
    let fact = facts[row * HEADS + first_head + line % SPLIT_HEADS];
    moved.fact = vec4<f32>(fact.xyz, select(0.0, f32(PREFIX + row + 1u), first + lane < end));
  }
  return moved;
}

// 2^(exponent - highest), both biased by f32; 0 where that is too small for it.
fn ratio(exponent: f32, highest: u32) -> f32 {
  let below = highest - min(u32(exponent), highest);
  return select(0.0, bitcast<f32>((127u - min(below, 126u)) << 23u), below <= 126u);
}
