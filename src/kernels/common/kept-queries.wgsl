// Attention in training for any adapter (fours.wgsl), where a workgroup keeps queries and tiles of KEYS keys and values
// pass. All heads of a group read the same keys and values: the pairs (row, head) of a group are numbered row by row as
// lines, of which a workgroup has LINES.

const FOURS = LINES / 4u;
const TILE = KEYS;

// The rows there are, the first one of the first line's sequence, and behind which key the last line sees none.
struct Span {
  rows: u32,
  begin: u32,
  end: u32,
}

var<workgroup> shared_rows: vec2<u32>;

fn span_of(first_line: u32, lane: u32) -> Span {
  if (lane == 0u) {
    let rows = min(sequences[0], MAX_ROWS);
    shared_rows = vec2<u32>(rows, sequence_begin(min(first_line / GROUP_HEADS, rows - 1u)));
  }
  let shared_now = workgroupUniformLoad(&shared_rows);
  let last_row = min((first_line + LINES - 1u) / GROUP_HEADS, shared_now.x - 1u);
  return Span(shared_now.x, shared_now.y, PREFIX + last_row + 1u);
}

// The rows that lines belong to.
fn rows_of(lines: vec4<u32>, rows: u32) -> vec4<u32> {
  return min(lines / GROUP_HEADS, vec4<u32>(rows - 1u));
}

fn load_keys(group: u32, first: u32, end: u32, lane: u32) -> array<vec4<f32>, MOVED> {
  var moved = array<vec4<f32>, MOVED>();
  for (var i = 0u; i < MOVED; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    moved[i] = key_quad(min(first + at / QUADS, end - 1u), group, at % QUADS);
  }
  return moved;
}

fn load_values(group: u32, first: u32, end: u32, lane: u32) -> array<vec4<f32>, MOVED> {
  var moved = array<vec4<f32>, MOVED>();
  for (var i = 0u; i < MOVED; i++) {
    let at = lane + i * WORKGROUP_SIZE;
    moved[i] = value_quad(min(first + at / QUADS, end - 1u), group, at % QUADS);
  }
  return moved;
}
