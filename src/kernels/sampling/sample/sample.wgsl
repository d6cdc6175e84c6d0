// Draws the next id of every row and advances the row's state, so that the next step needs nothing from the host.
//
// Greedy: the id of the highest score, the lowest of tied ids. Else, over softmax(scores / temperature):
//   top-k   keeps the k best ids and those tied with the k-th
//   top-p   keeps the fewest best ids whose probability (within top-k) adds up to p, and those tied with the last
//   min-p   keeps the ids whose probability is at least min_p times that of the best
// and draws among the rest. Ids whose score is BANNED_SCORE, or that are e^-22 times less likely than the best, are
// never drawn. Drawing is a race: id i arrives at time E_i * exp(distance_i), where E_i is exponentially distributed
// and made of (seed, ids generated, i), and the first wins, with probability proportional to exp(-distance_i).
//
// logits      [rows, VOCAB]            f32, as the model gave them
// scores      [rows, VOCAB]            f32, after penalties, bias and bans: BANNED_SCORE or within -1e30..1e30
// counts      [slots, VOCAB]           u32, bit 31: occurs in the prompt, bits 0..30: how often generated; advanced
// parameters  [slots]                  SamplingParameters
// sequences   [slots]                  Sequence; advanced
// rows        [rows]                   vec4<u32>: token, slot, position, prefix length; token and position advanced
// history     [slots, HISTORY_CAPACITY] u32, ring of ids, the next at history_length % HISTORY_CAPACITY; advanced
// outputs     [rows]                   vec4<u32>: id, log probability (f32 bits), flags, ids generated
//
// What belongs to a sequence is kept by its slot, so that it may be another row of each step. Its row is advanced in both
// places: `rows` for the next step of the same rows, and its sequence for a step of others.
//
// The log probability is that of softmax(logits), in nats. A stop id, or an id that would need a position at the
// limit, is still given out, counted and pushed to the history, but finishes the row: its entry of `rows` then stays
// as it is, so that steps already under way write the same cache row once more and nothing else. They put out
// FLAG_FINISHED | FLAG_IDLE. A NaN or infinity among the logits, or all ids banned, finishes the row without an id.
//
// Dispatch: one workgroup a row. VOCAB < 2^16.

@group(0) @binding(0) var<storage, read> logits: array<u32>;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;
@group(0) @binding(3) var<storage, read> parameters: array<SamplingParameters>;
@group(0) @binding(4) var<storage, read_write> sequences: array<Sequence>;
@group(0) @binding(5) var<storage, read_write> rows: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> history: array<u32>;
@group(0) @binding(7) var<storage, read_write> outputs: array<vec4<u32>>;

// The row's slot, and the flags of its sequence.
var<workgroup> slot_and_flags: vec2<u32>;
var<workgroup> first_arrival: atomic<u32>;

// Leaves in `chosen` the candidate that arrives first.
fn race(candidates: Candidates, slot: u32, lane: u32) {
  let seed = sequences[slot].seed;
  let generated = sequences[slot].generated;
  let min_p_distance = parameters[slot].min_p_distance;
  if (lane == 0u) {
    atomicStore(&chosen, NO_ID);
  }
  var earliest = NO_ID;
  var winner = NO_ID;
  for (var first = lane; first < candidates.count; first += 4u * WORKGROUP_SIZE) {
    let distance = distances(candidates, first);
    for (var j = 0u; j < 4u; j++) {
      if (distance[j] >= MAX_DISTANCE || distance[j] > min_p_distance) {
        continue;
      }
      if (key_of(candidates, distance[j]) > candidates.limit) {
        continue;
      }
      let id = candidate_id(candidates, first + j * WORKGROUP_SIZE);
      // Positive floats have the order of their bits.
      let time = bitcast<u32>(exponential(pcg3d(vec3<u32>(seed, generated, id)).x) * exp(distance[j]));
      if (time < earliest || (time == earliest && id < winner)) {
        earliest = time;
        winner = id;
      }
    }
  }
  atomicMin(&first_arrival, earliest);
  workgroupBarrier();
  if (earliest == atomicLoad(&first_arrival)) {
    atomicMin(&chosen, winner);
  }
  workgroupBarrier();
}

fn is_stop(slot: u32, id: u32) -> bool {
  for (var i = 0u; i < parameters[slot].stop_count; i++) {
    if (parameters[slot].stop_ids[i] == id) {
      return true;
    }
  }
  return false;
}

// By one lane: gives out the chosen id and advances the row.
fn advance(row: u32, slot: u32, problem: u32) {
  var sequence = sequences[slot];
  var output = vec4<u32>(0u, 0u, sequence.flags | FLAG_IDLE, sequence.generated);
  if (problem != 0u) {
    sequence.flags = FLAG_FINISHED | problem;
    output.z = sequence.flags;
  } else if (sequence.flags == 0u) {
    let id = atomicLoad(&chosen);
    let exponentials =
      f32(atomicLoad(&exponentials_high)) * 0x1p-16f + f32(atomicLoad(&exponentials_low)) * 0x1p-32f;
    let logit = bitcast<f32>(logits[row * VOCAB + id]);
    let log_probability = logit - unordered(atomicLoad(&largest_logit)) - log(exponentials);
    counts[slot * VOCAB + id] += 1u;
    history[slot * HISTORY_CAPACITY + sequence.history_length % HISTORY_CAPACITY] = id;
    sequence.history_length += 1u;
    sequence.generated += 1u;
    if (is_stop(slot, id) || sequence.row.z + 1u >= sequence.position_limit) {
      sequence.flags = FLAG_FINISHED;
    } else {
      sequence.row.x = id;
      sequence.row.z += 1u;
      rows[row] = sequence.row;
    }
    output = vec4<u32>(id, bitcast<u32>(log_probability), sequence.flags, sequence.generated);
  }
  outputs[row] = output;
  sequences[slot] = sequence;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.x;
  if (lane == 0u) {
    slot_and_flags = vec2<u32>(rows[row].y, sequences[rows[row].y].flags);
    atomicStore(&worst_score, NO_ID);
    atomicStore(&first_arrival, NO_ID);
    atomicStore(&chosen, NO_ID);
  }
  let before = workgroupUniformLoad(&slot_and_flags);
  let slot = before.x;
  if (before.y != 0u) {
    if (lane == 0u) {
      advance(row, slot, 0u);
    }
    return;
  }
  let found = survey(row * VOCAB, lane);
  let inverse_temperature = parameters[slot].inverse_temperature;
  let top_k = parameters[slot].top_k;
  let top_p = parameters[slot].top_p;
  if (parameters[slot].greedy == 0u && found.problem == 0u) {
    let range = min((found.best - found.worst) * inverse_temperature, MAX_DISTANCE);
    var candidates = Candidates(
      row * VOCAB, found.best, inverse_temperature, KEY_RANGE / max(range, 1e-20), NO_ID, VOCAB, false,
    );
    if (top_k > 0u) {
      candidates = keep_best(candidates, top_k, 1.0, lane);
    }
    if (top_p < 1.0) {
      candidates = keep_best(candidates, 0u, top_p, lane);
    }
    race(candidates, slot, lane);
  }
  if (lane == 0u) {
    advance(row, slot, found.problem);
  }
}
