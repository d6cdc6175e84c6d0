// Keys and values of a sequence behind a prefix: rows 0 .. PREFIX - 1 are the prefix's, row PREFIX + r belongs to token r.
//
// sequence_length  [1]                                        u32, rows of qkv that belong to the sequence
// qkv              [MAX_ROWS, (HEADS + 2 KV_GROUPS) * HEAD_DIM]  f32, after RoPE: queries, keys, values
// prefix           [PREFIX, PREFIX_STRIDE]                       f32, keys and then values in its first columns

@group(0) @binding(0) var<storage, read> sequence_length: array<u32>;
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
