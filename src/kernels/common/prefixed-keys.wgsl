// Keys and values of sequences behind a prefix: rows 0 .. PREFIX - 1 are the prefix's, row PREFIX + r belongs to token r.
// Where PACKED, several sequences lie one behind the other, and a row sees the prefix and those of its own.
//
// sequences  [1 + 2 MAX_ROWS]  u32: rows of qkv that are used; where PACKED, of each row the first row of its sequence and
//                              the one behind its last
// qkv        [MAX_ROWS, (HEADS + 2 KV_GROUPS) * HEAD_DIM]  f32, after RoPE: queries, keys, values
// prefix     [PREFIX, PREFIX_STRIDE]                       f32, keys and then values in its first columns

@group(0) @binding(0) var<storage, read> sequences: array<u32>;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> prefix: array<vec4<f32>>;

const GROUP_HEADS = HEADS / KV_GROUPS;
// Elements go by fours.
const QUADS = HEAD_DIM / 4u;
const QKV_QUADS = (HEADS + 2u * KV_GROUPS) * QUADS;

// Where a head's query of a row begins in qkv.
fn query_at(row: u32, head: u32) -> u32 {
  return row * QKV_QUADS + head * QUADS;
}

// The first row of a row's sequence, and the row behind its last.
fn sequence_begin(row: u32) -> u32 {
  if (PACKED) {
    return sequences[1u + 2u * row];
  }
  return 0u;
}

fn sequence_end(row: u32, rows: u32) -> u32 {
  if (PACKED) {
    return sequences[2u + 2u * row];
  }
  return rows;
}

// The first key from c on that rows of a sequence which begins with row `begin` see.
fn seen_from(c: u32, begin: u32) -> u32 {
  return select(max(c, PREFIX + begin), c, c < PREFIX);
}

// Which keys rows see: all of the prefix, and from the first row of their sequence on up to their own.
fn sees(rows: vec4<u32>, c: vec4<u32>) -> vec4<bool> {
  let begins = vec4<u32>(
    sequence_begin(rows.x), sequence_begin(rows.y), sequence_begin(rows.z), sequence_begin(rows.w)
  );
  return (c < rows + PREFIX + 1u) & ((c < vec4<u32>(PREFIX)) | (c >= begins + PREFIX));
}

fn key_quad(c: u32, group: u32, quad: u32) -> vec4<f32> {
  if (c < PREFIX) {
    return prefix[c * (PREFIX_STRIDE / 4u) + group * QUADS + quad];
  }
  return qkv[(c - PREFIX) * QKV_QUADS + (HEADS + group) * QUADS + quad];
}

fn value_quad(c: u32, group: u32, quad: u32) -> vec4<f32> {
  if (c < PREFIX) {
    return prefix[c * (PREFIX_STRIDE / 4u) + (KV_GROUPS + group) * QUADS + quad];
  }
  return qkv[(c - PREFIX) * QKV_QUADS + (HEADS + KV_GROUPS + group) * QUADS + quad];
}
