import { describe, expect, it } from 'vitest'
import { CHATGLM3_6B, chatglmConfig } from '../../../tools/chatglm-config.js'
import { estimateTraining, weightCount } from '../../finetune/index.js'
import { estimateMemory } from '../../runtime/generate/index.js'
import { parseModelConfig } from '../../runtime/model/index.js'
import { zeroStages } from './arithmetic.js'
import { expectedSpeed } from './measured.js'
import { planGpus } from './plan-gpus.js'

const STORED = { ...chatglmConfig(CHATGLM3_6B), quantization: { bits: 4, group_size: 64 } }
const CONFIG = parseModelConfig(STORED)
const GB = 1e9

describe('the textbook’s sum', () => {
  it('for all weights of chatglm3-6b', () => {
    const weights = weightCount(CONFIG)
    expect(weights).toBe(6_243_584_000)
    const [whole, one, two, three] = zeroStages({ weights, trained: weights }, 2)
    // 2 + 2 + 12 bytes for each.
    expect(
      [whole.weights, whole.gradients, whole.optimizer].map((bytes) => Number((bytes / GB).toFixed(1))),
    ).toEqual([12.5, 12.5, 74.9])
    expect(whole.total).toBe(16 * weights)
    expect(one.total).toBe((4 + 6) * weights)
    expect(two.total).toBe((2 + 1 + 6) * weights)
    expect(three.total).toBe(8 * weights)
  })

  it('for a prefix: weights weigh, and what is trained does not', () => {
    const weights = weightCount(CONFIG)
    const { trained } = estimateTraining(CONFIG, { method: 'prefix' })
    // 128 rows of keys and values for 28 layers.
    expect(trained).toBe(128 * 28 * 2 * 256)
    const [whole] = zeroStages({ weights, trained, frozenBytes: 0.5625 }, 1)
    expect((whole.gradients + whole.optimizer) / whole.total).toBeLessThan(0.01)
  })
})

describe('what a training is expected to take', () => {
  it('is about what it was measured to take: 5.2 GB for a prefix of 128 on samples of 2048', () => {
    const { memory } = estimateTraining(CONFIG, { method: 'prefix', tokens: 2048 })
    const { weights } = estimateMemory(STORED, { contextLength: 256 })
    const total = weights + memory.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(Math.abs(total / (5.2 * GB) - 1)).toBeLessThan(0.05)
  })

  it('is refused for samples that the model has no positions for', () => {
    expect(() => estimateTraining(CONFIG, { method: 'prefix', tokens: 8193 })).toThrow('Option tokens')
  })
})

describe('expected speed', () => {
  it('is known on a card that was measured, in proportion to the weights that are read', () => {
    const int4 = expectedSpeed('NVIDIA H200', 3.36e9)!
    expect(int4.ceiling).toBeCloseTo(1360, -1)
    expect(int4.decode).toBe(510)
    expect(expectedSpeed('NVIDIA H200', 6.72e9)?.decode).toBe(255)
    expect(expectedSpeed('Apple M4', 3.36e9)).toBeUndefined()
  })
})

describe('a plan', () => {
  it('comes from headers alone, and is the sum of its parts', async () => {
    const plan = await planGpus('models/tiny', { gpus: [], training: { method: 'lora', tokens: 64 } })
    expect(plan.answering.map(({ purpose }) => purpose)).toEqual(['weights', 'cache', 'activations'])
    const parts = [...plan.answering, ...plan.training!]
    expect(plan.total).toBe(parts.reduce((sum, { bytes }) => sum + bytes, 0))
    expect(plan.arithmetic.method).toHaveLength(4)
    await expect(planGpus('models/tiny', { gpus: [99] })).rejects.toMatchObject({
      code: 'adapter.card-unknown',
    })
  })
})
