/** Training of all weights on the GPU: gradients against float64, packed samples, updates, checkpoints, resume. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MemoryFiles, openCheckpoint } from '../src/checkpoint/index.js'
import type { TrainingSample } from '../src/data/index.js'
import { createModelTraining } from '../src/finetune/engine/model-training.js'
import type { TrainingEngine } from '../src/finetune/engine/training-engine.js'
import { Gpu } from '../src/gpu/index.js'
import { expectClose, randomSource } from '../src/kernels/testing/numbers.js'
import { modelBase } from '../src/runtime/engine/index.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import type { ModelBase } from '../src/runtime/model/weights.js'
import { randomModel } from './random-model.js'
import { referenceGradient } from './reference-gradient.js'
import { ReferenceModel } from './reference-model.js'

/** Of the loss relative to itself, and of a gradient relative to its largest element; products in f16 are coarser. */
const tolerances = ({ f16 }: Gpu) => (f16 ? { loss: 1e-3, gradient: 3e-2 } : { loss: 1e-6, gradient: 2e-5 })

const UPDATE = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }
const LONGEST = 45
const TIMEOUT_MS = 180_000

function randomSample(tokens: number, seed: number): TrainingSample {
  const random = randomSource(seed)
  // Tokens of a small range recur, within a sample and in several.
  const ids = Array.from({ length: tokens }, () => Math.floor(random() * 40) * 8)
  return { ids, labels: ids.map((id, i) => (i > 2 && random() < 0.7 ? id : -100)) }
}

async function openBase(files: MemoryFiles): Promise<{ base: ModelBase; reference: ReferenceModel }> {
  const checkpoint = await openCheckpoint(files)
  const reference = await ReferenceModel.open(checkpoint)
  const { config } = reference
  const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
  return {
    reference,
    base: modelBase(gpu, config, await loadWeights(gpu, checkpoint, config, { positions: 2 })),
  }
}

describe('training of all weights', () => {
  let base: ModelBase
  let reference: ReferenceModel
  let training: TrainingEngine
  let before: number
  const long = randomSample(LONGEST, 1)
  const short = randomSample(9, 2)
  const middle = randomSample(20, 3)
  const plain = { gradientScale: 1, dropoutSeeds: undefined }

  beforeAll(async () => {
    ;({ base, reference } = await openBase(await randomModel()))
    before = base.gpu.total
    training = await createModelTraining(base, { maxSequenceLength: LONGEST, maxTokens: 70 })
  }, TIMEOUT_MS)
  afterAll(() => base?.gpu.dispose())

  /** The state before any update; gradients are zero behind it. */
  let initial: Awaited<ReturnType<TrainingEngine['readState']>> | undefined
  const restart = async () => {
    initial ??= await training.readState()
    training.writeState(initial)
  }

  /** The mean over all targets of several samples, of losses and of gradients. */
  const exact = (samples: readonly TrainingSample[]) => {
    const parts = samples.map(({ ids, labels }) => {
      const targets = labels.slice(1).filter((label) => label >= 0).length
      return { targets, ...referenceGradient(reference, ids, labels) }
    })
    const targets = parts.reduce((sum, part) => sum + part.targets, 0)
    const mean = (of: (part: (typeof parts)[number]) => ArrayLike<number>) =>
      Float64Array.from(of(parts[0]), (_, i) =>
        parts.reduce((sum, part) => sum + (of(part)[i] * part.targets) / targets, 0),
      )
    return {
      targets,
      loss: mean(({ loss }) => [loss])[0],
      weights: new Map([...parts[0].weights.keys()].map((name) => [name, mean((p) => p.weights.get(name)!)])),
    }
  }

  const expectGradients = async (expected: ReadonlyMap<string, Float64Array>, scale = 1) => {
    const gradients = await training.readGradients()
    expect([...gradients.keys()].sort()).toEqual([...expected.keys()].sort())
    for (const [name, gradient] of gradients) {
      const values = expected.get(name)!.map((value) => value * scale)
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true)
      expectClose(gradient, values, tolerances(base.gpu).gradient)
    }
  }

  it('takes the memory that was planned', () => {
    const planned = training.memory.reduce((sum, { bytes }) => sum + bytes, 0)
    const buffers = 150
    expect(base.gpu.total - before).toBeGreaterThanOrEqual(planned)
    expect(base.gpu.total - before).toBeLessThan(planned + 16 * buffers)
  })

  it('has the loss and all gradients of the model in float64, in several chunks of rows and of targets', async () => {
    await restart()
    const expected = exact([long])
    const { loss, targets } = await training.accumulateBatch([long], plain)
    expect(targets).toBe(expected.targets)
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(tolerances(base.gpu).loss)
    await expectGradients(expected.weights)
  })

  it('packs the samples of a batch, and takes several passes where they do not fit into one', async () => {
    await restart()
    const batch = [short, long, middle, short]
    const expected = exact(batch)
    const { loss, targets } = await training.accumulateBatch(batch, plain)
    expect(targets).toBe(expected.targets)
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(tolerances(base.gpu).loss)
    await expectGradients(expected.weights)
  })

  it('adds up scaled gradients of batches that were given without waiting', async () => {
    await restart()
    const given = [1, 0.25].map((gradientScale) =>
      training.accumulateBatch([short, middle], { ...plain, gradientScale }),
    )
    const evaluated = await training.evaluate(middle)
    const losses = await Promise.all(given)
    expect(losses[1]).toEqual(losses[0])
    expect(Math.abs(evaluated.loss / exact([middle]).loss - 1)).toBeLessThan(tolerances(base.gpu).loss)
    await expectGradients(exact([short, middle]).weights, 1.25)
  })

  it('does the same to the bit every time', async () => {
    const once = async () => {
      await restart()
      const { loss } = await training.accumulateBatch([long, short], plain)
      const { gradientNorm } = await training.update({ ...UPDATE, maxGradientNorm: 1, step: 1 })
      return { loss, gradientNorm, state: await training.readState() }
    }
    expect(await once()).toEqual(await once())
  })

  it('decays matrices, but neither norms nor biases', async () => {
    await restart()
    await training.update({
      ...UPDATE,
      learningRate: 0.5,
      weightDecay: 0.5,
      maxGradientNorm: undefined,
      step: 1,
    })
    for (const [name, { parameter, shape }] of await training.readState()) {
      const factor = shape.length === 2 ? 0.75 : 1
      const expected = initial!.get(name)!.parameter.map((value) => value * factor)
      expectClose(parameter, expected, 1e-6)
    }
  })

  it(
    'learns samples by heart, and the model holds what was learnt',
    async () => {
      await restart()
      const first = await training.evaluate(short)
      for (let step = 1; step <= 10; step++) {
        training.accumulateBatch([short, middle], plain)
        await training.update({ ...UPDATE, learningRate: 0.01, maxGradientNorm: 1, step })
      }
      const { loss } = await training.evaluate(short)
      expect(loss).toBeLessThan(0.5 * first.loss)
    },
    TIMEOUT_MS,
  )

  it('says that it diverged, and changes nothing then', async () => {
    await restart()
    await training.accumulateBatch([short], { ...plain, gradientScale: Number.POSITIVE_INFINITY })
    await expect(training.update({ ...UPDATE, maxGradientNorm: 1, step: 1 })).rejects.toThrow('gradient norm')
    expect(await training.readState()).toEqual(initial)
  })

  it('refuses samples longer than it was set up for', async () => {
    const ids = Array(LONGEST + 1).fill(1)
    await expect(training.accumulateBatch([{ ids, labels: ids }], plain)).rejects.toThrow('46 tokens')
  })

  it('gives its memory back, and can be used no more', async () => {
    training.dispose()
    expect(base.gpu.total).toBe(before)
    await expect(training.accumulateBatch([short], plain)).rejects.toThrow('disposed of')
  })
})

describe('a model whose weights cannot be trained', () => {
  it('is refused where it is quantized, with what to do', async () => {
    const { base } = await openBase(await randomModel({ matrices: { type: 'q4', groupSize: 32 } }))
    try {
      const training = createModelTraining(base, { maxSequenceLength: 16, maxTokens: 16 })
      await expect(training).rejects.toThrow(/query_key_value\.weight has 4 bits.*without quantization/)
    } finally {
      base.gpu.dispose()
    }
  })
})
