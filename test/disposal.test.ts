/** What was disposed of leaves memory: the device of Node's WebGPU stays for ever, but nothing hangs on it. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Gpu } from '../src/gpu/index.js'
import { loadModel } from '../src/index.js'

setFlagsFromString('--expose_gc')
const collectGarbage = runInNewContext('gc') as () => void

/** How many of the objects are still there after the garbage was collected several times. */
async function alive(objects: readonly WeakRef<object>[]): Promise<number> {
  for (let turns = 0; turns < 50; turns++) {
    // A WeakRef holds its object until the turn of the event loop ends.
    await new Promise((resolve) => setTimeout(resolve, 20))
    collectGarbage()
    if (objects.every((object) => object.deref() === undefined)) return 0
  }
  return objects.filter((object) => object.deref() !== undefined).length
}

async function disposedGpu(fail: boolean): Promise<WeakRef<Gpu>> {
  const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
  gpu.allocate('weights', 'w', 64)
  await gpu.finish()
  // An error that no scope catches: a buffer that is used for what it was not made for.
  if (fail)
    gpu.device.queue.writeBuffer(gpu.device.createBuffer({ size: 16, usage: 0x1 }), 0, new Uint8Array(4))
  if (fail) await gpu.finish().catch(() => {})
  gpu.dispose()
  return new WeakRef(gpu)
}

async function disposedModel(): Promise<WeakRef<object>> {
  const model = await loadModel('models/tiny', { device: 'software' })
  model.dispose()
  return new WeakRef(model)
}

describe('nothing keeps what was disposed of', () => {
  it.each([
    ['a GPU', false],
    ['a GPU with an error that no call caught', true],
  ])('%s', async (_, fail) => {
    const gpus: WeakRef<Gpu>[] = []
    for (let i = 0; i < 5; i++) gpus.push(await disposedGpu(fail))
    expect(await alive(gpus)).toBe(0)
  })

  it('a model', async () => {
    const models = [await disposedModel(), await disposedModel()]
    expect(await alive(models)).toBe(0)
  })
})
