import { expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileMatmulFloat } from './matmul-float.js'
import { matmulFloatReference } from './matmul-float.reference.js'

describeOnGpu('float matmul', (test) => {
  for (const [what, transposedA, transposedB, hasBias] of [
    ['a linear layer with a bias', false, false, true],
    ["the gradient of a linear layer's input", false, true, false],
    ["the gradient of a linear layer's weight", true, true, false],
  ] as const) {
    it(`computes ${what}, in ragged sizes`, async () => {
      const [rows, outputs, depth] = [19, 71, 37]
      const [a, b] = [randomNormal(rows * depth, 1), randomNormal(outputs * depth, 2)]
      const bias = randomNormal(outputs, 3)
      const constants = { rows, outputs, depth, transposedA, transposedB, hasBias }
      const kernel = await compileMatmulFloat(test().gpu, constants)
      const y = test().output(rows * outputs)
      const optional = hasBias ? { bias: test().input(bias) } : {}
      test().run(kernel.bind('product', { a: test().input(a), b: test().input(b), y, ...optional }))
      const expected = matmulFloatReference(
        constants,
        (m, k) => (transposedA ? a[k * rows + m] : a[m * depth + k]),
        (n, k) => (transposedB ? b[k * outputs + n] : b[n * depth + k]),
        hasBias ? bias : undefined,
      )
      expectClose(await test().floats(y), expected, 2e-6)
    })
  }

  it('computes a single number', async () => {
    const constants = { rows: 1, outputs: 1, depth: 1, transposedA: true, transposedB: false, hasBias: false }
    const kernel = await compileMatmulFloat(test().gpu, constants)
    const [a, b, y] = [
      test().input(new Float32Array([3])),
      test().input(new Float32Array([5])),
      test().output(1),
    ]
    test().run(kernel.bind('product', { a, b, y }))
    expect([...(await test().floats(y))]).toEqual([15])
  })

  it('refuses a matrix without rows', async () => {
    const constants = {
      rows: 0,
      outputs: 1,
      depth: 1,
      transposedA: false,
      transposedB: false,
      hasBias: false,
    }
    await expect(compileMatmulFloat(test().gpu, constants)).rejects.toThrow('sizes of 0')
  })
})
