import { it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileTanh } from './tanh.js'
import { tanhReference } from './tanh.reference.js'

describeOnGpu('tanh', (test) => {
  it('equals the reference, far out too', async () => {
    const values = randomNormal(301, 1, 3)
    values.set([1e30, -1e30, 100, -100, 0])
    const x = test().input(values)
    const tanh = await compileTanh(test().gpu, { count: values.length })
    test().run(tanh.bind('tanh', { x }))
    expectClose(await test().floats(x), tanhReference(values), 1e-5)
  })
})
