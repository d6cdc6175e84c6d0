import { beforeEach, expect, it, type TestContext } from 'vitest'
import type { Gpu } from '../../../gpu/gpu.js'
import type { Kernel } from '../../common/kernel.js'
import type { LinearBuffers, LinearConstants } from '../../common/linear.js'
import type { QuantizedFormat } from '../../common/weight.js'
import { referenceWeight } from '../../common/weight.reference.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { describeLinear } from '../../testing/linear.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileMatmulInt8 } from './matmul-int8.js'
import { matmulInt8Reference } from './matmul-int8.reference.js'
import { compileQuantizeActivations, quantizedActivationBytes } from './quantize-activations.js'

let skip: TestContext['skip']
beforeEach((context) => {
  skip = context.skip
})

/** The product of activations that it rounds before, as the tests of products know them. */
async function compile(gpu: Gpu, constants: LinearConstants): Promise<Kernel<LinearBuffers>> {
  const { format, inFeatures, maxRows } = constants
  if (format.type === 'f16') skip('for quantized weights')
  const quantized = format as QuantizedFormat
  const quantize = await compileQuantizeActivations(gpu, { format: quantized, inFeatures, maxRows })
  const multiply = await compileMatmulInt8(gpu, constants)
  const bytes = quantizedActivationBytes(quantized, inFeatures, maxRows)
  return {
    bind(label, { x, ...buffers }) {
      const activations = {
        words: gpu.allocate('activations', 'words', bytes.words),
        ranges: gpu.allocate('activations', 'ranges', bytes.ranges),
      }
      return [
        ...quantize.bind('quantize', { x, ...activations }),
        ...multiply.bind(label, { ...buffers, ...activations }),
      ]
    },
  }
}

// Against the product of the activations as they were: the rounding to 8 bits shows.
describeLinear('matmul on integer dot products', compile, [33, 1, 17], () => 3e-2)

describeOnGpu('matmul on integer dot products', (test) => {
  for (const format of [
    { type: 'q4', groupSize: 64 },
    { type: 'q8', groupSize: 32 },
  ] as const) {
    it(`is exact but for the rounding of activations to 8 bits, for ${format.type}`, async () => {
      const [rows, inFeatures, outFeatures] = [6, 192, 35]
      const x = randomNormal(rows * inFeatures, 5)
      // A group of zeros has no scale.
      x.fill(0, inFeatures, inFeatures + format.groupSize)
      const { words, values } = referenceWeight(randomNormal(outFeatures * inFeatures, 6, 0.1), format)
      const weight = Object.fromEntries(
        Object.entries(words).map(([name, data]) => [name, test().input(data, name)]),
      ) as unknown as LinearBuffers
      const y = test().output(rows * outFeatures, 'y')
      const slice = { outFeatures, outStride: outFeatures, outOffset: 0 }
      const constants = { format, inFeatures, ...slice, hasBias: false, accumulate: false, maxRows: rows }
      const kernel = await compile(test().gpu, constants)
      test().run(kernel.bind('product', { ...weight, x: test().input(x), y }), rows)
      const expected = matmulInt8Reference(x, values, inFeatures, format.groupSize)
      expectClose(await test().floats(y), expected, 1e-5)
    })
  }

  it('refuses a dense weight', async () => {
    const slice = { outFeatures: 1, outStride: 1, outOffset: 0 }
    const constants: LinearConstants = {
      format: { type: 'f16' },
      inFeatures: 8,
      ...slice,
      hasBias: false,
      accumulate: false,
      maxRows: 1,
    }
    await expect(compileMatmulInt8(test().gpu, constants)).rejects.toThrow('not quantized')
  })
})
