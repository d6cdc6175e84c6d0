import { it } from 'vitest'
import type { Dispatch } from '../../../gpu/dispatch.js'
import type { WeightFormat } from '../../common/weight.js'
import { referenceWeight } from '../../common/weight.reference.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileEmbedding } from './embedding.js'
import { embeddingReference } from './embedding.reference.js'

const FORMATS: readonly WeightFormat[] = [
  { type: 'f16' },
  { type: 'q4', groupSize: 32 },
  { type: 'q8', groupSize: 64 },
]

describeOnGpu('embedding', (test) => {
  for (const format of FORMATS) {
    it(`gathers rows of a table in ${format.type}, split into two slices`, async () => {
      const { gpu } = test()
      const [width, vocabulary, split] = [192, 7, 4]
      const dense = randomNormal(vocabulary * width, 3)
      const tokens = [6, 0, 3, 4, 3]
      const rows = test().input(new Uint32Array(tokens.flatMap((token) => [token, 0, 0, 0])))
      const y = test().output(tokens.length * width, 'y')
      const dispatches: Dispatch[] = []
      for (const [first, end] of [
        [0, split],
        [split, vocabulary],
      ]) {
        const { words } = referenceWeight(dense.subarray(first * width, end * width), format)
        const constants = { format, width, tokens: end - first, firstToken: first }
        const kernel = await compileEmbedding(gpu, constants)
        const { weight, scales, biases } = words
        dispatches.push(
          ...kernel.bind('embedding', {
            weight: test().input(weight),
            ...(scales && biases && { scales: test().input(scales), biases: test().input(biases) }),
            rows,
            y,
          }),
        )
      }
      test().run(dispatches, tokens.length)
      const { values } = referenceWeight(dense, format)
      expectClose(await test().floats(y), embeddingReference(tokens, values, width), 1e-6)
    })
  }
})
