import { describe, expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compilePrefixDropout, compilePrefixDropoutBackward, prefixDropoutWords } from './prefix-dropout.js'
import { dropoutMaskReference } from './prefix-dropout.reference.js'

const SHAPE = { layers: 3, layerWidth: 20, layerStride: 7 * 20 + 4 }
const ROWS = 7

/** Element (layer, row, i) of the layers for each element of the rows. */
const order = Array.from({ length: ROWS * 60 }, (_, at) => {
  const [row, column] = [Math.floor(at / 60), at % 60]
  return Math.floor(column / 20) * SHAPE.layerStride + row * 20 + (column % 20)
})

describe('the mask of dropout', () => {
  it('drops the share that is asked for, and keeps the mean', () => {
    const mask = dropoutMaskReference(40_000, 0.1, 3)
    const dropped = mask.filter((value) => value === 0).length / mask.length
    expect(Math.abs(dropped - 0.1)).toBeLessThan(0.006)
    expect(Math.abs(mask.reduce((sum, value) => sum + value, 0) / mask.length - 1)).toBeLessThan(0.007)
  })

  it('is another one with another seed', () => {
    const [a, b] = [dropoutMaskReference(1000, 0.5, 1), dropoutMaskReference(1000, 0.5, 2)]
    const equal = a.filter((value, i) => value === b[i]).length
    expect(equal).toBeGreaterThan(400)
    expect(equal).toBeLessThan(600)
  })
})

describe('parameters of dropout', () => {
  it('refuse probabilities with which nothing is left', () => {
    expect(() => prefixDropoutWords(1, 0, 1)).toThrow('probability of 1')
    expect(() => prefixDropoutWords(Number.NaN, 0, 1)).toThrow('probability of NaN')
  })
})

describeOnGpu('prefix dropout', (test) => {
  for (const probability of [0, 0.1, 0.7]) {
    it(`with ${probability} puts rows in the order of layers, masked`, async () => {
      const values = randomNormal(ROWS * 60, 1)
      const mask = dropoutMaskReference(values.length, probability, 5)
      const layers = test().input(new Float32Array(3 * SHAPE.layerStride).fill(9))
      const kernel = await compilePrefixDropout(test().gpu, SHAPE)
      const parameters = test().input(prefixDropoutWords(probability, 5, 1))
      test().run(kernel.bind('dropout', { parameters, rows: test().input(values), layers }), ROWS)
      const expected = new Float64Array(3 * SHAPE.layerStride).fill(9)
      order.forEach((to, at) => {
        expected[to] = mask[at] * values[at]
      })
      expectClose(await test().floats(layers), expected, 1e-6)
    })
  }

  it('adds the gradients of the layers with the same mask and their scale', async () => {
    const [layers, before] = [randomNormal(3 * SHAPE.layerStride, 2), randomNormal(ROWS * 60, 3)]
    const mask = dropoutMaskReference(before.length, 0.3, 11)
    const rows = test().input(before)
    const kernel = await compilePrefixDropoutBackward(test().gpu, SHAPE)
    const parameters = test().input(prefixDropoutWords(0.3, 11, 0.25))
    test().run(kernel.bind('gradient', { parameters, rows, layers: test().input(layers) }), ROWS)
    const expected = Float64Array.from(before, (value, at) => value + 0.25 * mask[at] * layers[order[at]])
    expectClose(await test().floats(rows), expected, 1e-6)
  })
})
