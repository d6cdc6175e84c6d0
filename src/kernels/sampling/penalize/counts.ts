import { kernelArgument } from '../../errors.js'
import { BANNED_SCORE } from '../sample/parameters.js'

/** Bit of a word of `counts` that says that the id occurs in the prompt; the other bits count generated ids. */
export const PROMPT_FLAG = 0x8000_0000

function checkId(id: number, vocabulary: number): void {
  if (!(Number.isInteger(id) && id >= 0 && id < vocabulary)) {
    throw kernelArgument('penalize', `id ${id} is not within the vocabulary of ${vocabulary}`)
  }
}

/**
 * A slot's line of the `counts` buffer.
 * @param generatedIds what the sequence has generated already, where it goes on
 * @throws `option.kernel-argument` for an id outside the vocabulary
 */
export function countWords(
  promptIds: Iterable<number>,
  generatedIds: Iterable<number>,
  vocabulary: number,
): Uint32Array<ArrayBuffer> {
  const counts = new Uint32Array(vocabulary)
  for (const id of promptIds) {
    checkId(id, vocabulary)
    counts[id] = PROMPT_FLAG
  }
  for (const id of generatedIds) {
    checkId(id, vocabulary)
    counts[id]++
  }
  return counts
}

/**
 * A slot's line of the `logitBias` buffer.
 * @param biases [id, bias]; a bias of minus infinity bans the id
 * @throws `option.kernel-argument` for an id outside the vocabulary, or a bias that is NaN or plus infinity
 */
export function logitBiasFloats(
  biases: Iterable<readonly [id: number, bias: number]>,
  vocabulary: number,
): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(vocabulary)
  for (const [id, bias] of biases) {
    checkId(id, vocabulary)
    if (!(bias < 1e30)) throw kernelArgument('penalize', `the bias of id ${id} is ${bias}`)
    floats[id] = Math.max(bias, BANNED_SCORE)
  }
  return floats
}
