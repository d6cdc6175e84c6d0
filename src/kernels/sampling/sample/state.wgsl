// What the kernels of sampling share. The host writes these with parameters.ts and sequence.ts.

// How a slot samples.
struct SamplingParameters {
  inverse_temperature: f32,
  top_k: u32,                       // 0: off
  top_p: f32,                       // 1: off
  min_p_distance: f32,              // -ln(min_p): how far below the best, in nats, an id may lie
  repetition_penalty: f32,
  inverse_repetition_penalty: f32,
  presence_penalty: f32,
  frequency_penalty: f32,
  greedy: u32,                      // 1: take the best id
  biased: u32,                      // 1: the slot has biases
  constrained: u32,                 // 1: only ids of the slot's mask may come next
  stop_count: u32,
  stop_ids: array<u32, MAX_STOP_IDS>,
}

// Where a slot is in its sequence.
struct Sequence {
  row: vec4<u32>,                   // its next step: token, slot, position, prefix length
  seed: u32,
  generated: u32,                   // ids sampled so far: with the seed, the state of the random numbers
  flags: u32,                       // FLAG_*
  position_limit: u32,              // positions below it may hold an id
  history_length: u32,              // ids ever pushed to the slot's history ring
}
