import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { asFloat32Array, openCheckpoint } from '../src/checkpoint/index.js'
import { type LocalModel, loadModel, type Variants } from '../src/index.js'
import { openRandomLora, randomLora } from './random-lora.js'
import { randomModel, randomPrefix } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

const PROMPT = [262, 264, 3, 50, 7, 120, 31]
const WIDTH = 2 * 2 * 32
const ALL = ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h']

let model: LocalModel | undefined
afterEach(() => model?.dispose())

function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [largest, worst] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]))
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]))
  }
  return worst / largest
}

/** The log-probability of each id of an answer, by the logits of a reference. */
function referenceLogprobs(logits: Float64Array, prompt: readonly number[], answer: readonly number[]) {
  const vocabulary = logits.length / (prompt.length + answer.length)
  return answer.map((id, i) => {
    const row = logits.subarray((prompt.length - 1 + i) * vocabulary, (prompt.length + i) * vocabulary)
    const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    return row[id] - largest - Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0))
  })
}

describe('a LoRA adapter', () => {
  it.each([
    ['query_key_value', ['query_key_value'], 1],
    ['all matrices, at a strength', ALL, 0.5],
  ] as const)('computes what the merged weights do: %s', async (_, modules, strength) => {
    const files = await randomModel()
    const lora = await randomLora({ modules, rank: 3 })
    model = await loadModel(files, { contextLength: 64, activations: 'float' })
    const reference = await ReferenceModel.open(await openCheckpoint(files))
    const merged = await reference.merged(await openRandomLora(lora), strength)
    const adapter = await model.loadAdapter(lora)
    expect(adapter).toMatchObject({ kind: 'lora', length: 0 })
    const expected = merged.logits(PROMPT)
    const logits = await model.logits(PROMPT, { adapter, adapterStrength: strength })
    expect(relativeError(logits, expected)).toBeLessThan(2e-3)
    // It is no small thing.
    expect(relativeError(reference.logits(PROMPT), expected)).toBeGreaterThan(0.05)
    expect(relativeError(await model.logits(PROMPT), reference.logits(PROMPT))).toBeLessThan(2e-3)
  })
})

describe('sequences with different adapters', () => {
  const MATRICES = { type: 'q4', groupSize: 32 } as const
  let reference: ReferenceModel

  beforeAll(async () => {
    reference = await ReferenceModel.open(await openCheckpoint(await randomModel({ matrices: MATRICES })))
  })

  /** Answers of sequences that run at once: with no adapter, with two of LoRA, and behind a prefix, at several strengths. */
  async function check(variants: Partial<Variants>, modules: readonly string[], tolerance: number) {
    const activations = variants.decode === 'float' ? 'float' : 'int8'
    model = await loadModel(await randomModel({ matrices: MATRICES }), {
      maxSequences: 4,
      contextLength: 64,
      cacheTokens: 512,
      activations,
      variants,
    })
    const [one, other] = [await randomLora({ modules, rank: 4 }), await randomLora({ rank: 9, seed: 77 })]
    const prefixFiles = await randomPrefix(7, WIDTH)
    const adapters = await Promise.all([one, other, prefixFiles].map((files) => model!.loadAdapter(files)))
    const rows = (await openCheckpoint(prefixFiles)).read('transformer.prefix_encoder.embedding.weight')
    const prefixRows = asFloat32Array(await rows)
    const cases = [
      { adapter: undefined, strength: 1, logits: (ids: number[]) => reference.logits(ids) },
      {
        adapter: adapters[0],
        strength: 1,
        merged: await reference.merged(await openRandomLora(one)),
      },
      {
        adapter: adapters[1],
        strength: 0.5,
        merged: await reference.merged(await openRandomLora(other), 0.5),
      },
      {
        adapter: adapters[2],
        strength: 0.5,
        logits: (ids: number[]) => reference.logits(ids, { rows: prefixRows, length: 7 }, 0.5),
      },
    ]
    const answers = await Promise.all(
      cases.map(({ adapter, strength }) =>
        model!
          .generate(PROMPT, {
            temperature: 0,
            stopIds: [],
            maxTokens: 4,
            adapterStrength: strength,
            ...(adapter && { adapter }),
          })
          .result(),
      ),
    )
    answers.forEach(({ ids, logprobs }, i) => {
      const all = [...PROMPT, ...ids]
      const { merged, logits = (given) => merged!.logits(given) } = cases[i] as {
        merged?: ReferenceModel
        logits?: (ids: number[]) => Float64Array
      }
      const expected = referenceLogprobs(logits(all), PROMPT, ids)
      ids.forEach((_, j) => {
        expect(Math.abs(logprobs[j] - expected[j]), `answer ${i}, id ${j}`).toBeLessThan(tolerance)
      })
    })
    return answers
  }

  it('each get what the merged weights give, in the plain plan', async () => {
    const variants = { decode: 'float', decodeFew: 'float' } as const
    const answers = await check(variants, ALL, 2e-3)
    expect(new Set(answers.map(({ ids }) => ids.join())).size).toBeGreaterThan(2)
  })

  it('each get the same in fused plans', async () => {
    await check({ decode: 'fused-int8', decodeFew: 'fused-int8' }, ['query_key_value'], 3e-2)
  })

  it('share nothing in the cache but with the same adapter at the same strength', async () => {
    model = await loadModel(await randomModel(), { contextLength: 128, maxSequences: 2, cacheTokens: 1024 })
    const prompt = Array.from({ length: 70 }, (_, i) => 30 + ((i * 7) % 200))
    const adapter = await model.loadAdapter(await randomLora())
    const other = await model.loadAdapter(await randomLora({ seed: 5 }))
    const cached = async (options: object) => {
      const { cachedTokens } = await model!.generate(prompt, { maxTokens: 1, ...options }).result()
      return cachedTokens
    }
    expect(await cached({ adapter })).toBe(0)
    expect(await cached({ adapter })).toBeGreaterThan(60)
    expect(await cached({})).toBe(0)
    expect(await cached({ adapter, adapterStrength: 0.5 })).toBe(0)
    expect(await cached({ adapter: other })).toBe(0)
    await model.unloadAdapter(adapter)
    await expect(cached({ adapter })).rejects.toMatchObject({ code: 'input.prefix-unloaded' })
    expect(await cached({ adapter: other })).toBeGreaterThan(60)
  })

  it('may begin while others run', async () => {
    model = await loadModel(await randomModel(), { contextLength: 64, maxSequences: 2, cacheTokens: 512 })
    const first = await model.loadAdapter(await randomLora())
    const options = { temperature: 0, stopIds: [], maxTokens: 12 } as const
    const alone = await model.generate(PROMPT, { ...options, adapter: first }).result()
    const stream = model.generate(PROMPT, { ...options, adapter: first })
    const ids: number[] = []
    for await (const { id } of stream) {
      ids.push(id)
      if (ids.length !== 3) continue
      const second = await model.loadAdapter(await randomLora({ rank: 12, seed: 3 }))
      await model.generate(PROMPT, { ...options, maxTokens: 2, adapter: second }).result()
    }
    expect(ids).toEqual(alone.ids)
  })
})
