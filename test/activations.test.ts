import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../src/checkpoint/index.js'
import { Gpu } from '../src/gpu/index.js'
import { loadModel } from '../src/index.js'
import { meanDivergence, promptDivergence } from '../src/runtime/engine/divergence.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import { randomModel, randomPrefix } from './random-model.js'

const PROMPT = Array.from({ length: 45 }, (_, i) => (i * 89 + 7) % 320)

describe('activations in 8 bits', () => {
  it('change the log-probabilities of the next token very little', async () => {
    const files = await randomModel({ matrices: { type: 'q4', groupSize: 32 } })
    const float = await loadModel(files, { activations: 'float' })
    const int8 = await loadModel(files, { activations: 'int8' })
    try {
      // Every candidate in turn is the only one allowed, which shows its log-probability after an 8-bit step.
      const options = { temperature: 0, stopIds: [], maxTokens: 4, seed: 1 }
      for (const prefixOf of [undefined, await randomPrefix(5, 128)]) {
        const prefixes = prefixOf && [await float.loadPrefix(prefixOf), await int8.loadPrefix(prefixOf)]
        let divergence = 0
        let steps = 0
        for (let forced = 3; forced < 320; forced += 61) {
          const logitBias = { [forced]: 1000 }
          const [a, b] = await Promise.all(
            [float, int8].map((model, index) =>
              model
                .generate(PROMPT, { ...options, logitBias, ...(prefixes && { prefix: prefixes[index] }) })
                .result(),
            ),
          )
          expect(b.ids).toEqual(a.ids)
          // The first token comes from prefill through the 8-bit output layer; the rest from 8-bit steps.
          a.logprobs.forEach((logprob, i) => {
            divergence += (logprob - b.logprobs[i]) ** 2 / 2
            steps++
          })
        }
        // For small differences, half the mean squared difference of log-probabilities is the divergence.
        expect(divergence / steps).toBeLessThan(1e-3)
      }
    } finally {
      float.dispose()
      int8.dispose()
    }
  })

  it('change the distribution of the next token very little where they are rounded in prompts', async () => {
    const ids = Array.from({ length: 64 }, (_, i) => (i * 89 + 7) % 320)
    const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
    try {
      for (const type of ['q4', 'q8'] as const) {
        // Products of the same shape compile once.
        const small = { num_layers: 2, ffn_hidden_size: 64, add_qkv_bias: false }
        const checkpoint = await openCheckpoint(
          await randomModel({ config: small, matrices: { type, groupSize: 32 } }),
        )
        const config = parseModelConfig(checkpoint.config)
        const weights = await loadWeights(gpu, checkpoint, config, { positions: ids.length })
        const { meanDivergence, sameTop } = await promptDivergence(
          gpu,
          config,
          weights,
          ids,
          { activations: 'float', variants: { decode: 'float' } },
          { activations: 'int8', variants: { prefillProduct: 'int8', decode: 'float' } },
        )
        console.info(
          `${type}, activations in 8 bits against float: mean KL divergence ${meanDivergence.toExponential(1)} nats, ` +
            `the same likeliest token at ${(100 * sameTop).toFixed(0)} % of ${ids.length} positions`,
        )
        expect(meanDivergence).toBeLessThan(1e-3)
        // Rounding shows: it was really done.
        expect(meanDivergence).toBeGreaterThan(1e-9)
      }
    } finally {
      gpu.dispose()
    }
  })
})

describe('the mean divergence of distributions', () => {
  it('is that of Kullback and Leibler, whatever is added to all logits of a row', () => {
    const p = Float32Array.of(0, Math.log(3), 1, 1)
    const q = Float32Array.of(100, 100, 7, 7)
    const expected = (0.25 * Math.log(0.25 / 0.5) + 0.75 * Math.log(0.75 / 0.5)) / 2
    expect(meanDivergence(p, q, 2)).toBeCloseTo(expected, 6)
    expect(meanDivergence(p, p, 2)).toBe(0)
  })
})
