// Scores = logits after penalties and bias:
//   repetition penalty r (HF)     where the id occurs in prompt or output: s < 0 ? s * r : s / r
//   presence, frequency (OpenAI)  where the id was generated g > 0 times: s - presence - frequency * g
//   bias                          s + logit_bias[id], or BANNED_SCORE where the bias is BANNED_SCORE
// in this order, then limited to -1e30..1e30. What the mask of a constrained slot leaves out has BANNED_SCORE.
//
// rows        [rows]         vec4<u32>: token, slot, position, prefix length
// logits      [rows, VOCAB]  f32
// counts      [slots, VOCAB] u32, bit 31: occurs in the prompt, bits 0..30: how often generated
// logit_bias  [slots, VOCAB] f32, BANNED_SCORE (or less) instead of minus infinity; read of slots that are `biased`
// parameters  [slots]        SamplingParameters
// masks       [slots, MASK_WORDS] u32, bit id % 32 of word id / 32: may come next; read of slots that are `constrained`
// scores      [rows, VOCAB]  f32
//
// Dispatch: x = ceil(VOCAB / WORKGROUP_SIZE), y = rows.

@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read> logit_bias: array<f32>;
@group(0) @binding(4) var<storage, read> parameters: array<SamplingParameters>;
@group(0) @binding(5) var<storage, read> masks: array<u32>;
@group(0) @binding(6) var<storage, read_write> scores: array<f32>;

const LARGEST_SCORE = 1e30;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let id = invocation.x;
  if (id >= VOCAB) {
    return;
  }
  let slot = rows[invocation.y].y;
  let i = invocation.y * VOCAB + id;
  if (parameters[slot].constrained != 0u) {
    let word = masks[slot * MASK_WORDS + (id >> 5u)];
    if (((word >> (id & 31u)) & 1u) == 0u) {
      scores[i] = BANNED_SCORE;
      return;
    }
  }
  var bias = 0.0;
  if (parameters[slot].biased != 0u) {
    bias = logit_bias[slot * VOCAB + id];
  }
  if (bias <= BANNED_SCORE) {
    scores[i] = BANNED_SCORE;
    return;
  }
  let count = counts[slot * VOCAB + id];
  let generated = count & ~PROMPT_FLAG;
  var score = logits[i];
  if (count != 0u) {
    score *= select(parameters[slot].inverse_repetition_penalty, parameters[slot].repetition_penalty, score < 0.0);
  }
  if (generated != 0u) {
    score -= parameters[slot].presence_penalty + parameters[slot].frequency_penalty * f32(generated);
  }
  scores[i] = clamp(score + bias, -LARGEST_SCORE, LARGEST_SCORE);
}
