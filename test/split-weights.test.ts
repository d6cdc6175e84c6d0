import { expect, it } from 'vitest'
import { openCheckpoint } from '../src/checkpoint/index.js'
import { Gpu } from '../src/gpu/index.js'
import { expectClose } from '../src/kernels/testing/numbers.js'
import { computeLogits } from '../src/runtime/engine/logits.js'
import { WebGpuEngine } from '../src/runtime/engine/webgpu/engine.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import { randomModel } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

it('splits weights over the binding limit by rows, in every format, and computes the same', async () => {
  const config = { padded_vocab_size: 1024, hidden_size: 64, num_layers: 1 }
  const limit = 72 * 1024
  for (const matrices of ['F16', { type: 'q8', groupSize: 32 }] as const) {
    const checkpoint = await openCheckpoint(await randomModel({ config, matrices }))
    const model = parseModelConfig(checkpoint.config)
    const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
    // No adapter offers as little as this, so that the limit is only told.
    const offered = gpu.limits
    const told = ['maxBufferSize', 'maxStorageBufferBindingSize']
    const limits = new Proxy(offered, {
      get: (_, name) => (told.includes(String(name)) ? limit : Reflect.get(offered, name, offered)),
    })
    Object.defineProperty(gpu, 'limits', { value: limits })
    const weights = await loadWeights(gpu, checkpoint, model, { positions: 32 })
    expect(weights.output.slices.length).toBe(matrices === 'F16' ? 2 : 1)
    expect(weights.embedding.slices.map(({ firstRow }) => firstRow)).toEqual(
      matrices === 'F16' ? [0, 576] : [0],
    )
    const engine = await WebGpuEngine.create(gpu, model, weights, {
      contextLength: 32,
      maxSequences: 1,
      activations: 'float',
    })
    const ids = [1000, 3, 575, 576, 577, 1023, 0]
    const logits = await computeLogits(engine, ids)
    expectClose(logits, (await ReferenceModel.open(checkpoint)).logits(ids), 2e-3)
    gpu.dispose()
  }
})
