import { kernelArgument } from '../../errors.js'

/**
 * The score of an id that may not be sampled. Finite, because WGSL implementations may assume that no number is
 * infinite; every other score lies within -1e30..1e30.
 */
export const BANNED_SCORE = Math.fround(-3.4e38)

/** How many ids can end a row. */
export const MAX_STOP_IDS = 16

/** Temperatures up to this one mean greedy decoding, as in the official API server. */
export const GREEDY_TEMPERATURE = 1e-5

/** How ids are drawn from logits. What is left out has no effect. */
export interface SamplingOptions {
  /** Whether to draw (true) or to take the most likely id. */
  readonly doSample?: boolean
  /** Divides the scores; up to 1e-5 it means the most likely id. At most 1e6. */
  readonly temperature?: number
  /** Keeps so many best ids; 0 keeps all. */
  readonly topK?: number
  /** Keeps the fewest best ids whose probabilities add up to this; 1 keeps all. */
  readonly topP?: number
  /** Keeps ids at least this many times as likely as the most likely one; 0 keeps all. */
  readonly minP?: number
  /** Divides positive and multiplies negative logits of ids in prompt or output (HF); 1 has no effect. */
  readonly repetitionPenalty?: number
  /** Subtracted from the logits of ids already generated (OpenAI). */
  readonly presencePenalty?: number
  /** Subtracted from an id's logit for each time it was generated (OpenAI). */
  readonly frequencyPenalty?: number
  /** Ids that end a row, at most 16. */
  readonly stopIds?: readonly number[]
  /** Whether the slot has biases; without, its line of the table of biases is not read. */
  readonly biased?: boolean
  /** Whether only ids of the slot's mask may come next; without, its line of the table of masks is not read. */
  readonly constrained?: boolean
}

const STOP_IDS_AT = 12

/** 32-bit words of `SamplingParameters` in state.wgsl. */
export const SAMPLING_PARAMETER_WORDS = STOP_IDS_AT + MAX_STOP_IDS

function check(option: string, value: number, valid: boolean, range: string): void {
  if (!valid) throw kernelArgument('sample', `${option} is ${value}, but must be ${range}`)
}

/** A slot's entry of the `parameters` buffer. @throws `option.kernel-argument` for options out of range */
export function samplingParameterWords(options: SamplingOptions): Uint32Array<ArrayBuffer> {
  const {
    doSample = true,
    temperature = 1,
    topK = 0,
    topP = 1,
    minP = 0,
    repetitionPenalty = 1,
    presencePenalty = 0,
    frequencyPenalty = 0,
    stopIds = [],
    biased = false,
    constrained = false,
  } = options
  check('temperature', temperature, temperature >= 0 && temperature <= 1e6, 'from 0 to 1e6')
  check('topK', topK, Number.isInteger(topK) && topK >= 0 && topK < 2 ** 32, 'a whole number from 0')
  check('topP', topP, topP >= 0 && topP <= 1, 'from 0 to 1')
  check('minP', minP, minP >= 0 && minP <= 1, 'from 0 to 1')
  const penaltyIsValid = repetitionPenalty >= 1e-3 && repetitionPenalty <= 1e3
  check('repetitionPenalty', repetitionPenalty, penaltyIsValid, 'from 1e-3 to 1e3')
  check('presencePenalty', presencePenalty, Math.abs(presencePenalty) <= 1e3, 'from -1e3 to 1e3')
  check('frequencyPenalty', frequencyPenalty, Math.abs(frequencyPenalty) <= 1e3, 'from -1e3 to 1e3')
  check('the number of stopIds', stopIds.length, stopIds.length <= MAX_STOP_IDS, `at most ${MAX_STOP_IDS}`)

  const greedy = !doSample || temperature <= GREEDY_TEMPERATURE
  const words = new Uint32Array(SAMPLING_PARAMETER_WORDS)
  const floats = new Float32Array(words.buffer)
  floats[0] = greedy ? 1 : 1 / temperature
  words[1] = topK
  floats[2] = topP
  floats[3] = minP > 0 ? -Math.log(minP) : 1e30
  floats[4] = repetitionPenalty
  floats[5] = 1 / repetitionPenalty
  floats[6] = presencePenalty
  floats[7] = frequencyPenalty
  words[8] = greedy ? 1 : 0
  words[9] = biased ? 1 : 0
  words[10] = constrained ? 1 : 0
  words[11] = stopIds.length
  words.set(stopIds, STOP_IDS_AT)
  return words
}
