import { describe, expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { adamWWords, compileAdamW } from './adam-w.js'
import { type AdamWState, adamWReference } from './adam-w.reference.js'

const SETTINGS = { learningRate: 2e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 }

describe('the settings of AdamW', () => {
  it('begin with step 1: the moments are corrected by their age', () => {
    expect(() => adamWWords({ ...SETTINGS, step: 0 })).toThrow('step 0')
  })
})

describe('the reference of AdamW', () => {
  it('takes a first step of the learning rate against the sign of the gradient', () => {
    const zeros = () => new Float64Array(3)
    const state = { parameter: zeros(), firstMoment: zeros(), secondMoment: zeros() }
    const { parameter } = adamWReference(state, [5, -1e-3, 0], { ...SETTINGS, step: 1 })
    expectClose(parameter, [-2e-2, 2e-2, 0], 1e-4)
  })
})

describeOnGpu('AdamW', (test) => {
  for (const count of [1, 33, 70_001]) {
    it(`equals the reference over several steps of ${count} elements, and clears the gradient`, async () => {
      const start = randomNormal(count, 1)
      let expected: AdamWState = {
        parameter: Float64Array.from(start),
        firstMoment: new Float64Array(count),
        secondMoment: new Float64Array(count),
      }
      const parameter = test().input(start)
      const firstMoment = test().input(new Float32Array(count))
      const secondMoment = test().input(new Float32Array(count))
      const kernel = await compileAdamW(test().gpu, { count })
      for (let step = 1; step <= 3; step++) {
        const gradient = randomNormal(count, 10 + step, 10 ** -step)
        const buffers = {
          settings: test().input(adamWWords({ ...SETTINGS, step })),
          clip: test().input(new Float32Array([2, 0.5])),
          parameter,
          firstMoment,
          secondMoment,
          gradient: test().input(gradient),
        }
        test().run(kernel.bind('adam-w', buffers))
        expect((await test().floats(buffers.gradient)).every((value) => value === 0)).toBe(true)
        const clipped = Float64Array.from(gradient, (value) => 0.5 * value)
        expected = adamWReference(expected, clipped, { ...SETTINGS, step })
      }
      expectClose(await test().floats(parameter), expected.parameter, 2e-6)
      expectClose(await test().floats(firstMoment), expected.firstMoment, 2e-6)
      expectClose(await test().floats(secondMoment), expected.secondMoment, 2e-6)
    })
  }

  it('leaves everything but the gradient as it was where the norm is not finite', async () => {
    const values = randomNormal(5, 1)
    const [parameter, firstMoment, secondMoment] = [0, 1, 2].map(() => test().input(values))
    const gradient = test().input(new Float32Array(5).fill(Number.NaN))
    const buffers = {
      settings: test().input(adamWWords({ ...SETTINGS, step: 1 })),
      clip: test().input(new Float32Array([Number.NaN, 0])),
      parameter,
      firstMoment,
      secondMoment,
      gradient,
    }
    const kernel = await compileAdamW(test().gpu, { count: 5 })
    test().run(kernel.bind('adam-w', buffers))
    for (const buffer of [parameter, firstMoment, secondMoment]) {
      expect(await test().floats(buffer)).toEqual(values)
    }
    expect([...(await test().floats(gradient))]).toEqual([0, 0, 0, 0, 0])
  })
})
