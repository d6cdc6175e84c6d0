import { describe, expect, it } from 'vitest'
import { loadModel } from '../src/index.js'
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
})
