// Banned sequences of ids: where a row's last ids are all ids of a sequence but the last, the last one is banned
// for this step, scores[row, last] = BANNED_SCORE. A sequence of one id is always banned.
//
// banned     [1 + n + 1 + ...]        u32: n, then where in this buffer each sequence starts, then the end, then ids
// history    [rows, HISTORY_CAPACITY] u32, ring of ids, the latest at (history_length - 1) % HISTORY_CAPACITY
// sequences  [rows]                   Sequence
// scores     [rows, VOCAB]            f32, here as the bits of atomics, because sequences may share their last id
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> banned: array<u32>;
@group(0) @binding(1) var<storage, read> history: array<u32>;
@group(0) @binding(2) var<storage, read> sequences: array<Sequence>;
@group(0) @binding(3) var<storage, read_write> scores: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let length = sequences[row].history_length;
  for (var i = lane; i < banned[0]; i += WORKGROUP_SIZE) {
    let start = banned[1u + i];
    let last = banned[2u + i] - 1u;
    if (last - start > min(length, HISTORY_CAPACITY)) {
      continue;
    }
    var matches = true;
    for (var back = 1u; back <= last - start; back++) {
      let id = history[row * HISTORY_CAPACITY + (length - back) % HISTORY_CAPACITY];
      matches = matches && id == banned[last - back];
    }
    if (matches) {
      atomicStore(&scores[row * VOCAB + banned[last]], bitcast<u32>(BANNED_SCORE));
    }
  }
}
