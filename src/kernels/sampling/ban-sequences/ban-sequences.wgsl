// Banned sequences of ids: where a row's last ids are all ids of a sequence but the last, the last one is banned
// for this step, scores[row, last] = BANNED_SCORE. A sequence of one id is always banned.
//
// rows       [rows]                    vec4<u32>: token, slot, position, prefix length
// banned     [slots, BANNED_CAPACITY]  u32 [1 + n + 1 + ...]: n, then where each sequence starts, then the end, then ids
// history    [slots, HISTORY_CAPACITY] u32, ring of ids, the latest at (history_length - 1) % HISTORY_CAPACITY
// sequences  [slots]                   Sequence
// scores     [rows, VOCAB]             f32, here as the bits of atomics, because sequences may share their last id
//
// Dispatch: one workgroup a row.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> banned: array<u32>;
@group(0) @binding(2) var<storage, read> history: array<u32>;
@group(0) @binding(3) var<storage, read> sequences: array<Sequence>;
@group(0) @binding(4) var<storage, read_write> scores: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  let slot = rows[row].y;
  let length = sequences[slot].history_length;
  let table = slot * BANNED_CAPACITY;
  for (var i = lane; i < banned[table]; i += WORKGROUP_SIZE) {
    let start = banned[table + 1u + i];
    let last = banned[table + 2u + i] - 1u;
    if (last - start > min(length, HISTORY_CAPACITY)) {
      continue;
    }
    var matches = true;
    for (var back = 1u; back <= last - start; back++) {
      let id = history[slot * HISTORY_CAPACITY + (length - back) % HISTORY_CAPACITY];
      matches = matches && id == banned[table + last - back];
    }
    if (matches) {
      atomicStore(&scores[row * VOCAB + banned[table + last]], bitcast<u32>(BANNED_SCORE));
    }
  }
}
