import { describe, it } from 'vitest'
import { tanhReference } from '../../layers/tanh/tanh.reference.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { dot, numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileTanhBackward } from './tanh-backward.js'
import { tanhBackwardReference } from './tanh-backward.reference.js'

describe('the reference of the gradient of tanh', () => {
  it('is the derivative of tanh', () => {
    const [x, dy] = [randomNormal(9, 1), randomNormal(9, 2)]
    const expected = numericGradient((at) => dot(tanhReference(at), dy), x)
    expectClose(tanhBackwardReference(tanhReference(x), dy), expected, 1e-8)
  })
})

describeOnGpu('gradient of tanh', (test) => {
  it('equals the reference', async () => {
    const y = Float32Array.from(tanhReference(randomNormal(301, 1, 2)))
    const dy = randomNormal(301, 2)
    const kernel = await compileTanhBackward(test().gpu, { count: 301 })
    const gradient = test().input(dy)
    test().run(kernel.bind('gradient', { y: test().input(y), gradient }))
    expectClose(await test().floats(gradient), tanhBackwardReference(y, dy), 1e-6)
  })
})
