import { describe, expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal, randomSource } from '../../testing/numbers.js'
import { BANNED_SCORE, type SamplingOptions, samplingParameterWords } from '../sample/parameters.js'
import { countWords, logitBiasFloats, PROMPT_FLAG } from './counts.js'
import { compilePenalize, maskWords } from './penalize.js'
import { penalizeReference } from './penalize.reference.js'

describeOnGpu('penalties', (test) => {
  /** @param options of all rows, or of each */
  const penalize = async (
    logits: Float32Array<ArrayBuffer>,
    counts: Uint32Array<ArrayBuffer>,
    logitBias: Float32Array<ArrayBuffer>,
    options: SamplingOptions | readonly SamplingOptions[],
    mask: (row: number) => Uint32Array = () => new Uint32Array(maskWords(logitBias.length)),
  ) => {
    const vocabulary = logitBias.length
    const rows = logits.length / vocabulary
    const scores = test().output(logits.length, 'scores')
    const kernel = await compilePenalize(test().gpu, { vocabulary })
    // Row r is in slot rows - r, so that one is not taken for the other; slot 0 is nobody's.
    const slotLines = (word: number, line: (row: number) => ArrayLike<number>) =>
      Array.from({ length: rows + 1 }, (_, slot) =>
        slot === 0 ? new Array<number>(line(0).length).fill(word) : Array.from(line(rows - slot)),
      ).flat()
    const countLine = (row: number) => counts.subarray(row * vocabulary, (row + 1) * vocabulary)
    const optionsOf = (row: number) => (Array.isArray(options) ? options[row] : options) as SamplingOptions
    const parameters = (row: number) => samplingParameterWords({ biased: true, ...optionsOf(row) })
    const buffers = {
      rows: test().input(
        Uint32Array.from(Array.from({ length: rows }, (_, r) => [1, rows - r, 5, 0]).flat()),
      ),
      logits: test().input(logits),
      counts: test().input(Uint32Array.from(slotLines(3, countLine))),
      logitBias: test().input(Float32Array.from(slotLines(99, () => logitBias))),
      parameters: test().input(Uint32Array.from(slotLines(7, parameters))),
      masks: test().input(Uint32Array.from(slotLines(0xffff_ffff, mask))),
      scores,
    }
    test().run(kernel.bind('penalize', buffers), rows)
    return test().floats(scores)
  }

  for (const [rows, vocabulary] of [
    [1, 1],
    [3, 31],
    [2, 32],
    [4, 100],
  ] as const) {
    it(`equal the reference for ${rows} rows of ${vocabulary}`, async () => {
      const random = randomSource(vocabulary)
      const logits = randomNormal(rows * vocabulary, 1, 5)
      const counts = Uint32Array.from(logits, () => {
        const inPrompt = random() < 0.3 ? PROMPT_FLAG : 0
        return inPrompt + (random() < 0.4 ? Math.floor(random() * 5) : 0)
      })
      const biases = Array.from({ length: vocabulary }, (_, id) => [id, random() - 0.5] as const)
      const logitBias = logitBiasFloats(biases, vocabulary)
      for (const options of [
        {},
        { repetitionPenalty: 1.3 },
        { repetitionPenalty: 0.7 },
        { presencePenalty: 0.6 },
        { frequencyPenalty: -0.4 },
        { repetitionPenalty: 1.1, presencePenalty: 0.5, frequencyPenalty: 0.25 },
      ]) {
        const expected = Array.from({ length: rows }, (_, row) => {
          const start = row * vocabulary
          const end = start + vocabulary
          return [
            ...penalizeReference(
              logits.subarray(start, end),
              counts.subarray(start, end),
              logitBias,
              options,
            ),
          ]
        }).flat()
        expectClose(await penalize(logits, counts, logitBias, options), expected, 1e-6)
      }
    })
  }

  it('are those of each row', async () => {
    const logits = Float32Array.of(2, -2, 2, -2, 2, -2)
    const bias = Float32Array.of(1, 1)
    const options = [{ repetitionPenalty: 2, biased: false }, { presencePenalty: 3 }, { biased: false }]
    const scores = await penalize(logits, new Uint32Array(6).fill(1), bias, options)
    expect([...scores]).toEqual([1, -4, 0, -4, 2, -2])
  })

  it('leave logits as they are, to the bit, where they have no effect', async () => {
    const logits = randomNormal(64, 5, 10)
    const counts = new Uint32Array(64).fill(PROMPT_FLAG + 3)
    expect(await penalize(logits, counts, new Float32Array(64), {})).toEqual(logits)
  })

  it('of repetition make both positive and negative logits less likely, in prompt and output', async () => {
    const logits = Float32Array.of(2, -2, 2, -2, 2, -2)
    const counts = Uint32Array.of(PROMPT_FLAG, PROMPT_FLAG, 1, 1, 0, 0)
    const scores = await penalize(logits, counts, new Float32Array(6), { repetitionPenalty: 2 })
    expect([...scores]).toEqual([1, -4, 1, -4, 2, -2])
  })

  it('of presence and frequency count generated ids only', async () => {
    const counts = Uint32Array.of(PROMPT_FLAG, 1, PROMPT_FLAG + 3, 0)
    const options = { presencePenalty: 0.5, frequencyPenalty: 0.25 }
    const scores = await penalize(new Float32Array(4), counts, new Float32Array(4), options)
    expect([...scores]).toEqual([0, -0.75, -1.25, 0])
  })

  it('ban the ids of a bias of minus infinity, and keep all else above', async () => {
    const logitBias = logitBiasFloats(
      [
        [0, Number.NEGATIVE_INFINITY],
        [1, -3.39e38],
      ],
      4,
    )
    const logits = Float32Array.of(50, -3e38, 3e38, 50)
    const scores = await penalize(logits, new Uint32Array(4), logitBias, {})
    expect([...scores]).toEqual([BANNED_SCORE, ...[-1e30, 1e30, 50].map(Math.fround)])
  })

  it('leave the ids of its mask to a constrained row, and all to others', async () => {
    const [rows, vocabulary] = [3, 70]
    const logits = randomNormal(rows * vocabulary, 3, 5)
    const random = randomSource(8)
    const masks = Array.from({ length: rows }, () =>
      Uint32Array.from({ length: maskWords(vocabulary) }, () => Math.floor(random() * 2 ** 32)),
    )
    const counts = new Uint32Array(rows * vocabulary)
    const logitBias = logitBiasFloats([], vocabulary)
    const options = [{ constrained: true }, {}, { constrained: true }]
    const scores = await penalize(logits, counts, logitBias, options, (row) => masks[row])
    options.forEach(({ constrained }, row) => {
      const line = logits.subarray(row * vocabulary, (row + 1) * vocabulary)
      const expected = penalizeReference(line, counts, logitBias, {}, constrained ? masks[row] : undefined)
      expect([...scores.subarray(row * vocabulary, (row + 1) * vocabulary)]).toEqual([...expected])
    })
  })
})

describe('counts and biases', () => {
  it('mark each id of the prompt once, and count those that were generated', () => {
    expect([...countWords([2, 0], [2, 1, 1], 4)]).toEqual([PROMPT_FLAG, 2, PROMPT_FLAG + 1, 0])
    expect([...countWords([2, 0, 2], [], 4)]).toEqual([PROMPT_FLAG, 0, PROMPT_FLAG, 0])
  })

  it('are rejected for ids outside the vocabulary and for biases that are no number', () => {
    expect(() => countWords([4], [], 4)).toThrow('id 4')
    expect(() => logitBiasFloats([[-1, 0]], 4)).toThrow('id -1')
    expect(() => logitBiasFloats([[1, Number.NaN]], 4)).toThrow('NaN')
    expect(() => logitBiasFloats([[1, Number.POSITIVE_INFINITY]], 4)).toThrow('Infinity')
  })
})
