// Tiles of attention in training for any adapter, in f32. A workgroup keeps one kind of lines of HEAD_DIM elements, queries
// or keys, while tiles of the other kind pass through workgroup memory.
//
// The lines that are kept go by fours, a quarter of them apart: four f is the lines f, f + FOURS, f + 2 FOURS, f + 3 FOURS.
// In sums, an invocation has OWN_FOURS fours in one quad of columns.
//
// The kernel declares FOURS, and how many lines there are of each kind: KEPT, PASSING, and TILE of those in one tile.

// One more against bank conflicts.
const LINE = QUADS + 1u;
const THREAD_FOURS = WORKGROUP_SIZE / QUADS;
const OWN_FOURS = (FOURS + THREAD_FOURS - 1u) / THREAD_FOURS;
// Quads of a tile that an invocation moves.
const MOVED = (TILE * QUADS + WORKGROUP_SIZE - 1u) / WORKGROUP_SIZE;

var<workgroup> kept: array<vec4<f32>, KEPT * LINE>;
var<workgroup> passing: array<vec4<f32>, PASSING * LINE>;

// The lines of a four, counted from a first line on.
fn lines_of(first_line: u32, four: u32) -> vec4<u32> {
  return vec4<u32>(first_line + four) + vec4<u32>(0u, FOURS, 2u * FOURS, 3u * FOURS);
}

// Puts a tile on its way from storage behind `first` lines of those that pass.
fn store_tile(first: u32, moved: array<vec4<f32>, MOVED>, lane: u32) {
  for (var i = 0u; i < MOVED; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    if (at < TILE * QUADS) {
      passing[(first + at / QUADS) * LINE + at % QUADS] = moved[i];
    }
  }
}

// Products of the lines from `line` on, FOURS apart, with one that passes.
fn products(line: u32, passing_line: u32) -> vec4<f32> {
  var sums = vec4<f32>();
  for (var d = 0u; d < QUADS; d++) {
    let other = passing[passing_line * LINE + d];
    sums += vec4<f32>(
      dot(kept[line * LINE + d], other),
      dot(kept[(line + FOURS) * LINE + d], other),
      dot(kept[(line + 2u * FOURS) * LINE + d], other),
      dot(kept[(line + 3u * FOURS) * LINE + d], other),
    );
  }
  return sums;
}

// A quad times the factor of each line of a four.
fn times(factors: vec4<f32>, quad: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(factors.x * quad, factors.y * quad, factors.z * quad, factors.w * quad);
}
