// Where the keys and values of a sequence lie: in pages of PAGE_ROWS cache rows, which sequences may share.
//
// cache_table  [slots, 1 + SLOT_PAGES]  u32: the bias of the prefix (bits of an f32), then the page of each PAGE_ROWS rows
//
// Row c of a slot is row cache_row(slot, c) of a layer's keys and values: [pages * PAGE_ROWS, KV_GROUPS * HEAD_DIM]. Rows of
// one page are consecutive, so that a tile which begins at a multiple of a divisor of PAGE_ROWS is looked up once. The bias is
// the logarithm of the prefix's strength: at strength 1 it is 0, and the prefix counts in full.

const TABLE_WORDS = 1u + SLOT_PAGES;

fn prefix_bias_of(slot: u32) -> f32 {
  return bitcast<f32>(cache_table[slot * TABLE_WORDS]);
}

fn cache_row(slot: u32, c: u32) -> u32 {
  return cache_table[slot * TABLE_WORDS + 1u + c / PAGE_ROWS] * PAGE_ROWS + c % PAGE_ROWS;
}
