// How a sequence's cache rows are dealt out to SPLITS workgroups: whole tiles of KEYS rows, as few splits as that
// needs. The kernel that computes the parts and the one that puts them together must agree.

fn keys_per_split(length: u32) -> u32 {
  let tiles = (length + KEYS - 1u) / KEYS;
  return (tiles + SPLITS - 1u) / SPLITS * KEYS;
}
