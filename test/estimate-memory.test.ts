import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { estimateMemory, loadModel } from '../src/index.js'
import { RANDOM_MODEL_CONFIG, randomModel } from './random-model.js'

const CHATGLM3_6B = {
  ...RANDOM_MODEL_CONFIG,
  num_layers: 28,
  hidden_size: 4096,
  ffn_hidden_size: 13696,
  kv_channels: 128,
  num_attention_heads: 32,
  padded_vocab_size: 65024,
  seq_length: 8192,
}

describe('the memory that a model will need', () => {
  it('is what it takes once it is loaded: weights and cache exactly, all of it at least', async () => {
    const options = { contextLength: 96, maxSequences: 2, quantization: { bits: 8, groupSize: 32 } } as const
    const model = await loadModel(await randomModel(), options)
    const { memory } = model
    model.dispose()
    const estimate = estimateMemory(RANDOM_MODEL_CONFIG, options)
    expect(estimate).toMatchObject({ weights: memory.weights, cache: memory.cache })
    expect(estimate.total).toBeGreaterThanOrEqual(memory.total)
    const tiny = JSON.parse(readFileSync('models/tiny/config.json', 'utf8')) as unknown
    expect(estimateMemory(tiny).weights).toBeGreaterThan(2_500_000)
  })

  it('of chatglm3-6b is 12.5 GB of float16 weights, 3.5 GB in 4 bits, and 239 MB of cache for 8192 positions', () => {
    const dense = estimateMemory(CHATGLM3_6B)
    expect(dense.weights / 1e9).toBeCloseTo(12.5, 1)
    expect(dense.cache / 1e6).toBeCloseTo(238.6, 0)
    const four = estimateMemory(CHATGLM3_6B, { quantization: { bits: 4, groupSize: 64 } })
    expect(four.weights / 1e9).toBeCloseTo(3.5, 1)
    expect(four.total).toBe(four.weights + four.cache + four.activations)
    const official = estimateMemory({ ...CHATGLM3_6B, quantization_bit: 4 })
    expect(official.weights).toBeGreaterThan(four.weights)
    // The official layers have groups of the wanted size, too.
    const small = { quantization: { bits: 4, groupSize: 32 } } as const
    const repacked = estimateMemory({ ...CHATGLM3_6B, quantization_bit: 4 }, small)
    expect(repacked.weights).toBe(estimateMemory(CHATGLM3_6B, small).weights)
  })

  it('is refused for another model and for options that make no sense', () => {
    expect(() => estimateMemory({})).toThrow(
      expect.objectContaining({ code: 'checkpoint.model-unsupported' }),
    )
    expect(() => estimateMemory(CHATGLM3_6B, { quantization: { bits: 3 as 4 } })).toThrow(
      expect.objectContaining({ code: 'option.invalid' }),
    )
  })
})
