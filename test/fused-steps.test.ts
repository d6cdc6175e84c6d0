import { afterEach, expect, it } from 'vitest'
import { hasCode, loadModel, type Model, type Variants } from '../src/index.js'
import { randomModel, randomPrefix } from './random-model.js'

const MATRICES = { type: 'q4', groupSize: 32 } as const
const WIDTH = 2 * 2 * 32
const GREEDY = { temperature: 0, stopIds: [], maxTokens: 5 } as const

let model: Model | undefined
afterEach(() => model?.dispose())

/** Prompts of several lengths, all different. */
function prompts(count: number): number[][] {
  return Array.from({ length: count }, (_, i) => [
    262,
    264,
    ...Array.from({ length: 1 + ((i * 5) % 11) }, (_, j) => 30 + ((i * 7 + j * 3) % 200)),
  ])
}

/** The answers to prompts, one after the other and all at once; every other one behind a prefix. */
async function answers(variants: Partial<Variants>, count: number) {
  model = await loadModel(await randomModel({ matrices: MATRICES }), {
    maxSequences: count,
    contextLength: 64,
    cacheTokens: 128 * count,
    variants,
  })
  const prefix = await model.loadPrefix(await randomPrefix(7, WIDTH))
  const generate = (ids: number[], i: number) =>
    model!.generate(ids, { ...GREEDY, ...(i % 2 === 1 && { prefix, prefixStrength: 0.5 }) }).result()
  const together = await Promise.all(prompts(count).map(generate))
  const alone: typeof together = []
  for (const [i, ids] of prompts(count).entries()) alone.push(await generate(ids, i))
  return { together, alone }
}

/** Every variant rounds a little differently; the model is random, so that its distributions are flat. */
function expectSimilar({ together, alone }: Awaited<ReturnType<typeof answers>>, tolerance: number): void {
  together.forEach(({ ids, logprobs }, i) => {
    expect(ids).toHaveLength(GREEDY.maxTokens)
    // As long as the ids are the same, so is what they are drawn from.
    const same = ids.findIndex((id, j) => id !== alone[i].ids[j])
    const compared = same < 0 ? ids.length : same
    expect(compared, `answer ${i}`).toBeGreaterThan(0)
    for (let j = 0; j < compared; j++) {
      expect(Math.abs(logprobs[j] - alone[i].logprobs[j]), `answer ${i}, id ${j}`).toBeLessThan(tolerance)
    }
  })
}

it('a few sequences at once, in 8 bits, get what each gets alone', async () => {
  expectSimilar(await answers({ decode: 'fused-int8', decodeFew: 'fused-int8' }, 3), 5e-3)
})

it('many sequences at once, on subgroup matrices, get what each gets alone in floats', async ({ skip }) => {
  try {
    expectSimilar(await answers({ decode: 'float', decodeMany: 'fused-subgroup-matrix' }, 18), 2e-2)
  } catch (error) {
    if (hasCode(error, 'option.invalid')) skip('needs subgroup matrices')
    throw error
  }
})

it('prompts of several chunks, on subgroup matrices, give what they give in floats', async ({ skip }) => {
  const config = { kv_channels: 128, num_attention_heads: 2, multi_query_group_num: 1 }
  const ids = Array.from({ length: 150 }, (_, i) => (i < 2 ? 262 + 2 * i : 30 + ((i * 7) % 200)))
  const answer = async (prefill: Variants['prefill']) => {
    model = await loadModel(await randomModel({ config, matrices: MATRICES }), {
      contextLength: 200,
      chunkTokens: 64,
      variants: { prefill, decode: 'float' },
    })
    const prefix = await model.loadPrefix(await randomPrefix(7, 2 * 2 * 128))
    const results = [
      await model.generate(ids, GREEDY).result(),
      await model.generate(ids.slice(0, 70), { ...GREEDY, prefix, prefixStrength: 0.5 }).result(),
    ]
    model.dispose()
    return results
  }
  try {
    const fused = await answer('fused-subgroup-matrix')
    const unfused = await answer('unfused')
    fused.forEach(({ ids, logprobs }, i) => {
      expect(ids[0]).toBe(unfused[i].ids[0])
      expect(Math.abs(logprobs[0] - unfused[i].logprobs[0])).toBeLessThan(1e-2)
    })
  } catch (error) {
    if (hasCode(error, 'option.invalid')) skip('needs subgroup matrices')
    throw error
  }
})
