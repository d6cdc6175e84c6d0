/** The course of a training, over an engine on the CPU. */

import { describe, expect, it } from 'vitest'
import { asFloat32Array, type ByteSink, MemoryFiles, openCheckpoint } from '../checkpoint/index.js'
import { learningRateAt } from './learning-rate.js'
import { PRESETS } from './presets.js'
import { SampleOrder } from './sample-order.js'
import { FAKE_MODEL } from './testing/fake-engine.js'
import { data, eventsOf, heldOut, SETTINGS, train } from './testing/fake-training.js'
import { trainPrefix } from './train-prefix.js'

describe('the learning rate', () => {
  const at = (steps: number[], more: object) =>
    steps.map((step) => learningRateAt({ ...PRESETS['ptuning-v2'].training, ...more }, step))

  it('goes down to 0 on a line, as the official logs have it', () => {
    // trainer_state.json of the official LoRA run: lr 5e-5, 3000 steps.
    expect(at([10], {})[0]).toBeCloseTo(4.983333333333334e-5, 18)
    expect(at([0, 5, 10], { learningRate: 1, maxSteps: 10 })).toEqual([1, 0.5, 0])
  })

  it('rises first if it is to warm up, and may follow a cosine or stay', () => {
    const more = { learningRate: 1, maxSteps: 12, warmupSteps: 4 }
    expect(at([0, 1, 4, 8, 12], more)).toEqual([0, 0.25, 1, 0.5, 0])
    expect(at([2, 4, 12], { ...more, schedule: 'constant' })).toEqual([0.5, 1, 1])
    const cosine = at([4, 6, 8, 12], { ...more, schedule: 'cosine' })
    for (const [index, expected] of [1, (1 + Math.SQRT1_2) / 2, 0.5, 0].entries())
      expect(cosine[index]).toBeCloseTo(expected, 12)
  })
})

describe('the order of samples', () => {
  it('takes each once in an epoch, each time in another order', () => {
    const order = new SampleOrder(7, 2, 42)
    expect(order.batchesPerEpoch).toBe(4)
    const epochs = [0, 1].map((epoch) => [0, 1, 2, 3].map((batch) => order.batch(epoch * 4 + batch)))
    for (const epoch of epochs) {
      expect(epoch.map((batch) => batch.length)).toEqual([2, 2, 2, 1])
      expect(epoch.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    }
    expect(epochs[0]).not.toEqual(epochs[1])
    expect(new SampleOrder(7, 2, 42).batch(6)).toEqual(epochs[1][2])
    expect(new SampleOrder(700, 700, 1).batch(0)).not.toEqual(new SampleOrder(700, 700, 2).batch(0))
  })
})

describe('a training', () => {
  it('weighs micro-batches the same, and within them targets', async () => {
    const { engine, events } = await train({ maxSteps: 2 })
    expect(engine.updates.map(({ step, learningRate }) => [step, learningRate])).toEqual([
      [1, 0.2],
      [2, 0.1],
    ])
    expect(engine.updates[0]).toMatchObject({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 })
    expect(engine.updates[0].maxGradientNorm).toBe(1)
    // 7 samples in batches of 2: the fourth and last micro-batch of the epoch is a single one.
    const scales = engine.accumulated.map(({ options }) => options.gradientScale)
    const counts = engine.accumulated.map(
      ({ sample }) => sample.labels.filter((label) => label !== -100).length,
    )
    expect(scales).toHaveLength(7)
    for (const [first, ...rest] of [[0, 1], [2, 3], [4, 5], [6]]) {
      const total = [first, ...rest].reduce((sum, i) => sum + counts[i], 0)
      for (const i of [first, ...rest]) expect(scales[i]).toBeCloseTo(counts[i] / total / 2, 15)
    }
    expect(new Set(engine.accumulated.map(({ options }) => options.dropoutSeed)).size).toBe(7)
    expect(eventsOf(events, 'batch').map(({ batch }) => batch)).toEqual([1, 2, 1, 2])
    expect(engine.disposed).toBe(true)
  })

  it('gives no dropout and no clipping where none is wanted', async () => {
    const { engine } = await train({ maxSteps: 1, dropout: 0, maxGradientNorm: 0 })
    expect(engine.accumulated[0].options.dropoutSeed).toBeUndefined()
    expect(engine.updates[0].maxGradientNorm).toBeUndefined()
  })

  it('learns, and logs what Hugging Face logs', async () => {
    const { events, log, steps, stopReason, files } = await train({
      evaluation: heldOut,
      evaluationInterval: 6,
    })
    expect([steps, stopReason]).toEqual([12, 'completed'])
    const losses = eventsOf(events, 'step').map(({ loss }) => loss)
    expect(losses[11]).toBeLessThan(losses[0] * 0.8)
    expect(log?.map(({ step }) => step)).toEqual([4, 6, 8, 12, 12])
    const mean = losses.slice(4, 8).reduce((sum, loss) => sum + loss, 0) / 4
    expect(log?.[2]).toMatchObject({ loss: expect.closeTo(mean, 12), epoch: 4, step: 8 })
    expect(log?.[2]).toMatchObject({ learning_rate: expect.closeTo(0.2 / 3, 12) })
    const state = JSON.parse(
      new TextDecoder().decode(
        await files!.read('trainer_state.json', 0, await files!.size('trainer_state.json')),
      ),
    )
    expect(state).toMatchObject({
      global_step: 12,
      max_steps: 12,
      epoch: 6,
      num_train_epochs: 6,
      log_history: log,
    })
  })

  it('evaluates by targets, not by samples', async () => {
    const { events, best } = await train({ maxSteps: 1, evaluation: heldOut }, (engine) => {
      engine.penalties = [100, 0]
    })
    const [{ loss, perplexity }] = eventsOf(events, 'evaluation')
    const share = heldOut.targets(0) / (heldOut.targets(0) + heldOut.targets(1))
    expect(share).not.toBe(0.5)
    expect(Math.floor(loss / 100 / share)).toBe(1)
    expect(loss).toBeLessThan(100 * share + 10)
    expect(perplexity).toBe(Math.exp(loss))
    expect(best).toEqual({ loss, step: 1 })
  })

  it('ends early when the loss on held-out data stays up, with the best prefix', async () => {
    const two = (penalty: number) => [penalty, penalty]
    const { steps, stopReason, best, files } = await train(
      { evaluation: heldOut, evaluationInterval: 1, earlyStopping: 2, saveInterval: 100 },
      (engine) => {
        engine.penalties = [...two(5), ...two(0), ...two(6), ...two(7)]
      },
    )
    expect([steps, stopReason, best?.step]).toEqual([4, 'early-stopping', 2])
    const bytes = async (path: string) => files!.read(path, 0, await files!.size(path))
    expect(await bytes('model.safetensors')).toEqual(await bytes('checkpoint-2/model.safetensors'))
    expect(await bytes('model.safetensors')).not.toEqual(await bytes('checkpoint-4/model.safetensors'))
  })

  it.each([
    [{ maxSteps: 0 }, 'Option maxSteps is 0; expected a whole number from 1 up.'],
    [{ learningRate: Number.NaN }, 'Option learningRate is NaN; expected a number above 0.'],
    [{ dropout: 1 }, 'Option dropout is 1'],
    [{ seed: -1 }, 'Option seed is -1'],
    [{ schedule: 'polynomial' as 'linear' }, 'Option schedule is "polynomial"; expected one of linear'],
    [{ prefixProjection: 'yes' as unknown as true }, 'Option prefixProjection is "yes"'],
  ])('refuses %j', async (options, message) => {
    const { error, engine } = await train(options)
    expect(error).toMatchObject({ code: 'option.invalid', message: expect.stringContaining(message) })
    expect(engine).toBeUndefined()
  })

  it('refuses a sample that the model has no positions for', async () => {
    const model = { ...FAKE_MODEL, maxContextLength: 10 }
    const never = () => Promise.reject(new Error('The engine was made.'))
    await expect(trainPrefix(never, model, data, SETTINGS)).rejects.toThrow(
      /^the data has a sample of \d+ tokens; the model was made for 10 positions/,
    )
  })
})

describe('a checkpoint', () => {
  it('has the files that this project and the official scripts load', async () => {
    const { files, engine } = await train({ maxSteps: 1, torchBin: true })
    const name = 'transformer.prefix_encoder.embedding.weight'
    const trained = (await engine.readState()).get(name)!.parameter
    const text = async (path: string) =>
      JSON.parse(new TextDecoder().decode(await files!.read(path, 0, await files!.size(path))))
    expect(await text('config.json')).toMatchObject({
      pre_seq_len: 3,
      prefix_projection: false,
      num_layers: 2,
      kv_channels: 4,
    })
    expect((await text('checkpoint-1/trainer_state.json')).global_step).toBe(1)
    for (const file of ['model.safetensors', 'pytorch_model.bin']) {
      const source = Object.create(files!, { file: { value: file } }) as ByteSink
      const bound = { ...source, file, name: 'x' }
      for (const method of ['list', 'has', 'size', 'read'] as const)
        Object.assign(bound, { [method]: files![method].bind(files) })
      const checkpoint = await openCheckpoint(bound)
      expect(checkpoint.requireTensor(name)).toMatchObject({ dtype: 'F32', shape: [3, 16] })
      expect(Array.from(asFloat32Array(await checkpoint.read(name)))).toEqual(Array.from(trained))
    }
  })

  it('is not written over, and no model is', async () => {
    const output = new MemoryFiles([], 'out')
    await train({ maxSteps: 1, output })
    const again = await train({ maxSteps: 1, output })
    expect(again.error).toMatchObject({ code: 'training.resume-mismatch' })
    expect(again.error?.message).toBe(
      'out holds a training up to checkpoint-1 already. Resume it, or give another folder.',
    )
    const model = new MemoryFiles([['model.safetensors.index.json', new Uint8Array()]], 'chatglm3-6b')
    const { error } = await train({ output: model })
    expect(error).toMatchObject({ code: 'sink.occupied' })
    expect(error?.message).toMatch(/^chatglm3-6b holds other weights \(model.safetensors.index.json\)/)
  })
})
