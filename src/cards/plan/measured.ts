/** What was measured on a card, of chatglm3-6b in 4 bits; see docs/benchmarks.md for dates and commands. */
export interface MeasuredCard {
  /** What its name holds. */
  readonly name: string
  /** Bytes a second that a kernel reads: the ceiling of an answer, which reads every weight for every token. */
  readonly bytesPerSecond: number
  /** Tokens a second of one answer at 128 positions; of prompts of 2048; of a training on samples of 2048. */
  readonly decode: number
  readonly prefill: number
  readonly training: number
  /** All memory of that training, bytes. */
  readonly trainingBytes: number
}

/** Bytes that a token of chatglm3-6b reads: 5.98 billion weights of 4.5 bits. */
const REFERENCE_BYTES = 3.36e9

export const MEASURED: readonly MeasuredCard[] = [
  {
    name: 'H200',
    bytesPerSecond: 4.57e12,
    decode: 510,
    prefill: 11_300,
    training: 4_675,
    trainingBytes: 5.2e9,
  },
]

export interface ExpectedSpeed {
  readonly card: string
  /** Tokens a second of one answer: at most, if reading the weights were all there is; and by what was reached there. */
  readonly ceiling: number
  readonly decode: number
  readonly prefill: number
  readonly training: number
}

/**
 * Expected speeds on a card that was measured, in proportion to the bytes of weights that a token reads.
 * @returns undefined for other cards
 */
export function expectedSpeed(cardName: string, weightBytes: number): ExpectedSpeed | undefined {
  const measured = MEASURED.find(({ name }) => cardName.includes(name))
  if (!measured) return undefined
  const ratio = REFERENCE_BYTES / weightBytes
  const { name, bytesPerSecond, decode, prefill, training } = measured
  return {
    card: name,
    ceiling: bytesPerSecond / weightBytes,
    decode: decode * ratio,
    prefill: prefill * ratio,
    training: training * ratio,
  }
}
