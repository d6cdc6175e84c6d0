import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openCheckpoint } from '../src/checkpoint/index.js'
import type { TrainingSample } from '../src/data/index.js'
import { createPrefixTraining, planTraining } from '../src/finetune/engine/prefix-training.js'
import type { ParameterState, PrefixTrainingEngine } from '../src/finetune/engine/training-engine.js'
import { ParallelTraining } from '../src/finetune/parallel/parallel-training.js'
import { EngineWorker } from '../src/finetune/parallel/training-worker.js'
import { Gpu } from '../src/gpu/index.js'
import { expectClose, randomNormal, randomSource } from '../src/kernels/testing/numbers.js'
import { dropoutMaskReference } from '../src/kernels/training/prefix-dropout/prefix-dropout.reference.js'
import { modelBase } from '../src/runtime/engine/index.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import type { ModelBase } from '../src/runtime/model/weights.js'
import { randomModel } from './random-model.js'
import { referenceGradient } from './reference-gradient.js'
import { ReferenceModel } from './reference-model.js'

/** Of the loss relative to itself, and of a gradient relative to its largest element; products in f16 are coarser. */
const tolerances = ({ f16 }: Gpu) => (f16 ? { loss: 1e-3, gradient: 3e-2 } : { loss: 1e-6, gradient: 2e-5 })

const NAME = 'transformer.prefix_encoder.embedding.weight'
const OPTIONS = { prefixLength: 7, projection: false, maxSequenceLength: 45, dropout: 0.3, seed: 3 }
const UPDATE = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
const TIMEOUT_MS = 180_000

/** Random ids, of which some are targets. */
function randomSample(tokens: number, seed: number): TrainingSample {
  const random = randomSource(seed)
  const ids = Array.from({ length: tokens }, () => Math.floor(random() * 320))
  return { ids, labels: ids.map((id, i) => (i > 2 && random() < 0.7 ? id : -100)) }
}

describe('training of a prefix over a 4-bit model', () => {
  let base: ModelBase
  let reference: ReferenceModel
  let training: PrefixTrainingEngine
  let before: number
  const long = randomSample(45, 1)
  const short = randomSample(9, 2)

  beforeAll(async () => {
    const checkpoint = await openCheckpoint(await randomModel({ matrices: { type: 'q4', groupSize: 32 } }))
    reference = await ReferenceModel.open(checkpoint)
    const { config } = reference
    const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
    base = modelBase(gpu, config, await loadWeights(gpu, checkpoint, config, { positions: 2 }))
    before = gpu.total
    training = await createPrefixTraining(base, OPTIONS)
  }, TIMEOUT_MS)
  afterAll(() => base?.gpu.dispose())

  const plain = { gradientScale: 1, dropoutSeed: undefined }
  const rowsOf = async () => (await training.readState()).get(NAME)!.parameter
  const gradient = async () => (await training.readGradients()).get(NAME)!
  /** Clears the gradient, and gives the prefix its first values again. */
  const restart = (values = randomNormal(7 * 128, 9)) => {
    const zeros = () => new Float32Array(values.length)
    const state = { shape: [7, 128], parameter: values, firstMoment: zeros(), secondMoment: zeros() }
    training.writeState(new Map([[NAME, state]]))
    return values
  }
  const exact = (sample: TrainingSample, rows: ArrayLike<number>) =>
    referenceGradient(reference, sample.ids, sample.labels, { rows, length: 7 })

  it('takes the memory that was planned', async () => {
    const planned = (await planTraining(base, OPTIONS)).reduce((sum, { bytes }) => sum + bytes, 0)
    const buffers = 40
    expect(base.gpu.total - before).toBeGreaterThanOrEqual(planned)
    expect(base.gpu.total - before).toBeLessThan(planned + 16 * buffers)
    expect(training.memory.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(planned)
  })

  it('has the loss and the gradient of the model in float64, in several chunks of rows and of targets', async () => {
    const rows = restart()
    const expected = exact(long, rows)
    const { loss, targets } = await training.accumulate(long, plain)
    expect(targets).toBe(long.labels.filter((label) => label >= 0).length)
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(tolerances(base.gpu).loss)
    expectClose(await gradient(), expected.gradient, tolerances(base.gpu).gradient)
  })

  it('adds up scaled gradients of sequences of different lengths that were given without waiting', async () => {
    const rows = restart()
    const parts = [long, short, long].map((sample, i) =>
      training.accumulate(sample, { gradientScale: 2 ** -i, dropoutSeed: undefined }),
    )
    const evaluated = await training.evaluate(short)
    const losses = await Promise.all(parts)
    const [ofLong, ofShort] = [exact(long, rows), exact(short, rows)]
    const sum = ofLong.gradient.map((value, i) => 1.25 * value + 0.5 * ofShort.gradient[i])
    expectClose(await gradient(), sum, tolerances(base.gpu).gradient)
    expect(losses[2]).toEqual(losses[0])
    expect(evaluated).toEqual(losses[1])
  })

  it('drops elements of the prefix, and their gradients, by the seed', async () => {
    const rows = restart()
    const { loss } = await training.accumulate(short, { gradientScale: 1, dropoutSeed: 77 })
    const mask = dropoutMaskReference(rows.length, OPTIONS.dropout, 77)
    const expected = exact(
      short,
      rows.map((value, i) => value * mask[i]),
    )
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(tolerances(base.gpu).loss)
    const masked = expected.gradient.map((value, i) => value * mask[i])
    expectClose(await gradient(), masked, tolerances(base.gpu).gradient)
  })

  it('does the same to the bit every time', async () => {
    const once = async () => {
      restart()
      const { loss } = await training.accumulate(long, { gradientScale: 1, dropoutSeed: 5 })
      const gradients = await gradient()
      await training.update({ ...UPDATE, maxGradientNorm: 1, step: 1 })
      return { loss, gradients, rows: await rowsOf() }
    }
    expect(await once()).toEqual(await once())
  })

  it('clears the gradient in an update, whose norm is that before clipping', async () => {
    restart()
    training.accumulate(short, plain)
    const norm = Math.hypot(...(await gradient()))
    const { gradientNorm } = await training.update({ ...UPDATE, maxGradientNorm: norm / 2, step: 1 })
    expect(Math.abs(gradientNorm / norm - 1)).toBeLessThan(1e-5)
    expect((await gradient()).every((value) => value === 0)).toBe(true)
  })

  it(
    'learns a sequence by heart',
    async () => {
      restart()
      const first = await training.evaluate(short)
      for (let step = 1; step <= 12; step++) {
        training.accumulate(short, plain)
        await training.update({ ...UPDATE, learningRate: 0.1, maxGradientNorm: undefined, step })
      }
      const { loss } = await training.evaluate(short)
      expect(loss).toBeLessThan(0.6 * first.loss)
    },
    TIMEOUT_MS,
  )

  it('gives the rows of the prefix, which are its parameters where there is no projection', async () => {
    const rows = restart()
    expect(await training.readPrefixRows()).toEqual(rows)
  })

  it('says that it diverged, and changes nothing then', async () => {
    const rows = restart(new Float32Array(7 * 128).fill(Number.NaN))
    await expect(training.accumulate(short, plain)).rejects.toThrow(
      'The loss is NaN: the training has diverged',
    )
    const update = training.update({ ...UPDATE, maxGradientNorm: 1, step: 1 })
    await expect(update).rejects.toThrow(/gradient norm is (NaN|Infinity)/)
    expect((await training.readState()).get(NAME)!.firstMoment.every((value) => value === 0)).toBe(true)
    expect(await rowsOf()).toEqual(rows)
  })

  it.each<[string, Partial<TrainingSample>, RegExp]>([
    ['too many tokens', { ids: Array(46).fill(1), labels: Array(46).fill(1) }, /46 tokens.*2 to 45/],
    ['one token', { ids: [1], labels: [1] }, /1 tokens/],
    ['labels of another length', { labels: [1] }, /9 ids but 1 labels/],
    ['an id outside the vocabulary', { ids: [1, 2, 3, 4, 320, 1, 1, 1, 1] }, /Token 4 of the sample is 320/],
    ['a label outside of it', { labels: [1, -1, 3, 4, 5, 1, 1, 1, 1] }, /Label 1 of the sample is -1/],
    ['a target only where nothing predicts it', { labels: [5, ...Array(8).fill(-100)] }, /nothing to learn/],
  ])('refuses a sample with %s', async (_, change, message) => {
    await expect(training.accumulate({ ...short, ...change }, plain)).rejects.toThrow(message)
    await expect(training.evaluate({ ...short, ...change })).rejects.toThrow(message)
  })

  it('takes up no sequence after an abort', async () => {
    restart()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(training.accumulate(short, { ...plain, signal })).rejects.toThrow('enough')
    await expect(training.evaluate(short, signal)).rejects.toThrow('enough')
    expect((await gradient()).every((value) => value === 0)).toBe(true)
  })

  it.each<[string, (state: Map<string, ParameterState>) => void, RegExp]>([
    ['no parameters', (state) => state.clear(), /has no parameters/],
    [
      'another name',
      (state) => void (state.set('a', state.get(NAME)!) && state.delete(NAME)),
      /has no .*embedding/,
    ],
    [
      'another shape',
      (state) => state.set(NAME, { ...state.get(NAME)!, shape: [128, 7] }),
      /\[128,7\].*\[7,128\]/,
    ],
    [
      'moments of another size',
      (state) => state.set(NAME, { ...state.get(NAME)!, firstMoment: new Float32Array(3) }),
      /3 elements/,
    ],
  ])('refuses a state with %s, and keeps its own', async (_, change, message) => {
    const rows = restart()
    const state = await training.readState()
    change(state)
    expect(() => training.writeState(state)).toThrow(message)
    expect(await rowsOf()).toEqual(rows)
  })

  it.each([
    ['prefixLength', 0],
    ['maxSequenceLength', 1],
    ['maxSequenceLength', 257],
    ['dropout', 1],
  ])('refuses the option %s = %s', async (option, value) => {
    await expect(planTraining(base, { ...OPTIONS, [option]: value })).rejects.toThrow(`Option ${option}`)
  })

  it('gives back what it has where it cannot have everything', async () => {
    const { total } = base.gpu
    const allocate = vi.spyOn(base.gpu, 'allocate')
    try {
      const { calls } = allocate.mock
      allocate.mockImplementation((...args) => {
        if (calls.length > 20) throw new Error('no room')
        return Gpu.prototype.allocate.apply(base.gpu, args)
      })
      await expect(createPrefixTraining(base, OPTIONS)).rejects.toThrow('no room')
    } finally {
      allocate.mockRestore()
    }
    expect(base.gpu.total).toBe(total)
  })

  it('packs the samples of a batch where nothing is dropped', async () => {
    const rows = restart()
    const batch = [short, long, short]
    const targets = batch.map(({ labels }) => labels.slice(1).filter((label) => label >= 0).length)
    const all = targets.reduce((sum, count) => sum + count, 0)
    const options = { ...OPTIONS, dropout: 0, maxTokens: 60 }
    const packing = await createPrefixTraining(base, options)
    try {
      packing.writeState(await training.readState())
      const { loss } = await packing.accumulateBatch(batch, { gradientScale: 0.5, dropoutSeeds: undefined })
      const parts = batch.map((sample) => exact(sample, rows))
      const mean = parts.reduce((sum, part, i) => sum + (part.loss * targets[i]) / all, 0)
      expect(Math.abs(loss / mean - 1)).toBeLessThan(tolerances(base.gpu).loss)
      const sum = parts[0].gradient.map((_, k) =>
        parts.reduce((total, part, i) => total + (0.5 * part.gradient[k] * targets[i]) / all, 0),
      )
      expectClose((await packing.readGradients()).get(NAME)!, sum, tolerances(base.gpu).gradient)
    } finally {
      packing.dispose()
    }
  })

  it('is that of two engines that share its steps, each with a part of the samples', async () => {
    const rows = restart()
    const batch = [short, long, short]
    const options = { gradientScale: 1, dropoutSeeds: [1, 2, 3] }
    await training.accumulateBatch(batch, options)
    const { gradientNorm } = await training.update({ ...UPDATE, maxGradientNorm: 1, step: 1 })
    const expected = await rowsOf()
    const engines = await Promise.all([
      createPrefixTraining(base, OPTIONS),
      createPrefixTraining(base, OPTIONS),
    ])
    const workers = engines.map((engine) => new EngineWorker(engine))
    const both = new ParallelTraining(workers, { accumulationSteps: 1, continueOnLoss: false })
    try {
      restart(rows)
      await both.writeState(await training.readState())
      await both.accumulateBatch(batch, options)
      const result = await both.update({ ...UPDATE, maxGradientNorm: 1, step: 1 })
      expect(Math.abs(result.gradientNorm / gradientNorm - 1)).toBeLessThan(tolerances(base.gpu).loss)
      for (const engine of engines) {
        expectClose(await engine.readPrefixRows(), expected, tolerances(base.gpu).gradient)
      }
    } finally {
      both.dispose()
    }
  })

  it('gives its memory back, and can be used no more', async () => {
    training.dispose()
    training.dispose()
    expect(base.gpu.total).toBe(before)
    await expect(training.accumulate(short, plain)).rejects.toThrow('disposed of')
    await expect(training.evaluate(short)).rejects.toThrow('disposed of')
  })
})
