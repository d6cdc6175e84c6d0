import type { TestGpu } from '../../testing/gpu.js'
import { compilePenalize } from '../penalize/penalize.js'
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
  /** f32 [vocabulary] */
  readonly logitBias?: Float32Array<ArrayBuffer>
  /** Position before the first step, of all rows. */
  readonly position?: number
  readonly positionLimit?: number
  readonly ringSteps?: number
  readonly historyCapacity?: number
}

/** Rows of the sampler with penalties before it, and all their buffers, for tests. */
export async function startSampling(test: TestGpu, run: SamplingRun) {
  const { logits, vocabulary, options, seeds } = run
  const { logitBias = new Float32Array(vocabulary), position = 7, positionLimit = 1e6 } = run
  const { ringSteps = 2, historyCapacity = 4 } = run
  const batch = seeds.length
  const rowState = seeds.flatMap((_, row) => [1000 + row, row, position, 3])
  const buffers = {
    logits: test.input(logits, 'logits'),
    scores: test.output(batch * vocabulary, 'scores'),
    counts: test.input(new Uint32Array(batch * vocabulary), 'counts'),
    logitBias: test.input(logitBias, 'logitBias'),
    parameters: test.input(samplingParameterWords(options), 'parameters'),
    sequences: test.input(sequenceWords(seeds.map((seed) => ({ seed, positionLimit }))), 'sequences'),
    rows: test.input(Uint32Array.from(rowState), 'rows'),
    history: test.output(batch * historyCapacity, 'history'),
    outputs: test.output(ringSteps * batch * OUTPUT_WORDS, 'outputs'),
  }
  const penalize = await compilePenalize(test.gpu, { vocabulary })
  const sample = await compileSample(test.gpu, { vocabulary, batch, ringSteps, historyCapacity })
  const dispatches = [penalize('penalize', buffers), sample('sample', buffers)]
  let step = 0
  return {
    buffers,
    /** Runs one step and gives every row's result. */
    async next(): Promise<SampledId[]> {
      test.run(dispatches, batch)
      const line = (step++ % ringSteps) * batch * OUTPUT_WORDS
      const words = (await test.words(buffers.outputs)).slice(line, line + batch * OUTPUT_WORDS)
      return seeds.map((_, row) => readOutput(words, row))
    },
    /** A row's (token, slot, position, prefix length). */
    async row(index: number): Promise<number[]> {
      return Array.from((await test.words(buffers.rows)).subarray(index * 4, index * 4 + 4))
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
      return seeds.map((_, row) => words[row * SEQUENCE_WORDS + 1])
    },
  }
}
