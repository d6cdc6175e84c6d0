import type { TestGpu } from '../../testing/gpu.js'
import { compilePenalize, maskWords } from '../penalize/penalize.js'
import { type SamplingOptions, samplingParameterWords } from './parameters.js'
import { compileSample } from './sample.js'
import { OUTPUT_WORDS, readOutput, type SampledId, SEQUENCE_WORDS, sequenceWords } from './sequence.js'

export interface SamplingRun {
  /** f32 [rows, vocabulary] */
  readonly logits: Float32Array<ArrayBuffer>
  readonly vocabulary: number
  readonly options: SamplingOptions
  /** One for each row. */
  readonly seeds: readonly number[]
  /** f32 [vocabulary], for all rows */
  readonly logitBias?: Float32Array<ArrayBuffer>
  /** Position before the first step, of all rows. */
  readonly position?: number
  readonly positionLimit?: number
  readonly historyCapacity?: number
}

/** Rows of the sampler with penalties before it, and all their buffers, for tests. */
export async function startSampling(test: TestGpu, run: SamplingRun) {
  const { logits, vocabulary, options, seeds } = run
  const { logitBias, position = 7, positionLimit = 1e6, historyCapacity = 4 } = run
  const batch = seeds.length
  // Rows and slots in opposite order, so that one is not taken for the other.
  const slotOf = (row: number) => batch - 1 - row
  const rowState = (row: number) => [1000 + row, slotOf(row), position, 3] as const
  const bySlot = (words: (row: number) => Uint32Array) =>
    Uint32Array.from(seeds.flatMap((_, slot) => [...words(slotOf(slot))]))
  const biased = logitBias !== undefined
  const biases = new Float32Array(batch * vocabulary)
  for (let slot = 0; biased && slot < batch; slot++) biases.set(logitBias, slot * vocabulary)
  const buffers = {
    logits: test.input(logits, 'logits'),
    scores: test.output(batch * vocabulary, 'scores'),
    counts: test.input(new Uint32Array(batch * vocabulary), 'counts'),
    logitBias: test.input(biases, 'logitBias'),
    parameters: test.input(
      bySlot(() => samplingParameterWords({ ...options, biased })),
      'parameters',
    ),
    sequences: test.input(
      bySlot((row) => sequenceWords({ row: rowState(row), seed: seeds[row], positionLimit })),
      'sequences',
    ),
    rows: test.input(Uint32Array.from(seeds.flatMap((_, row) => rowState(row))), 'rows'),
    masks: test.input(new Uint32Array(batch * maskWords(vocabulary)), 'masks'),
    history: test.output(batch * historyCapacity, 'history'),
    outputs: test.output(batch * OUTPUT_WORDS, 'outputs'),
  }
  const penalize = await compilePenalize(test.gpu, { vocabulary })
  const sample = await compileSample(test.gpu, { vocabulary, historyCapacity })
  const dispatches = [...penalize.bind('penalize', buffers), ...sample.bind('sample', buffers)]
  return {
    buffers,
    /** Runs one step and gives every row's result. */
    async next(): Promise<SampledId[]> {
      test.run(dispatches, batch)
      const words = await test.words(buffers.outputs)
      return seeds.map((_, row) => readOutput(words, row))
    },
    /** A row's (token, slot, position, prefix length). */
    async row(index: number): Promise<number[]> {
      const row = Array.from((await test.words(buffers.rows)).subarray(index * 4, index * 4 + 4))
      const at = slotOf(index) * SEQUENCE_WORDS
      const kept = Array.from((await test.words(buffers.sequences)).subarray(at, at + 4))
      if (row.join() !== kept.join()) throw new Error(`row [${row}], but its sequence has [${kept}]`)
      return row
    },
    async counts(): Promise<number[]> {
      return Array.from(await test.words(buffers.counts))
    },
    async history(): Promise<number[]> {
      return Array.from(await test.words(buffers.history))
    },
    /** How many ids each row has generated. */
    async generated(): Promise<number[]> {
      const words = await test.words(buffers.sequences)
      return seeds.map((_, row) => words[slotOf(row) * SEQUENCE_WORDS + 5])
    },
  }
}
