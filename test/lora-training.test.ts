/** Training of LoRA on the GPU: gradients and steps against float64, quantized weights, dropout, packed samples. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../src/checkpoint/index.js'
import type { TrainingSample } from '../src/data/index.js'
import { createLoraTraining } from '../src/finetune/engine/lora-training.js'
import type { ParameterState, TrainingEngine } from '../src/finetune/engine/training-engine.js'
import { Gpu } from '../src/gpu/index.js'
import { expectClose, randomNormal, randomSource } from '../src/kernels/testing/numbers.js'
import { adamWReference } from '../src/kernels/training/adam-w/adam-w.reference.js'
import { modelBase } from '../src/runtime/engine/index.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import { parseLoraName } from '../src/runtime/model/lora/lora-names.js'
import type { StoredLora } from '../src/runtime/model/lora/open-lora.js'
import { modelTensors } from '../src/runtime/model/tensors.js'
import type { ModelBase } from '../src/runtime/model/weights.js'
import { randomModel } from './random-model.js'
import { referenceGradient } from './reference-gradient.js'
import { ReferenceModel } from './reference-model.js'

const UPDATE = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }
const RANK = 3
const SCALE = 2
const ROLES = ['qkv', 'dense', 'gateUp', 'down'] as const
const LONGEST = 45
const TIMEOUT_MS = 180_000

const tolerances = ({ f16 }: Gpu) => (f16 ? { loss: 1e-3, gradient: 3e-2 } : { loss: 1e-6, gradient: 2e-5 })

function randomSample(tokens: number, seed: number): TrainingSample {
  const random = randomSource(seed)
  const ids = Array.from({ length: tokens }, () => Math.floor(random() * 40) * 8)
  return { ids, labels: ids.map((id, i) => (i > 2 && random() < 0.7 ? id : -100)) }
}

type Values = ReadonlyMap<string, ArrayLike<number>>

/** Factors by their names as an adapter for the reference. */
function asLora(values: Values, reference: ReferenceModel): StoredLora {
  const layers = modelTensors(reference.config).layers
  const names = [...values.keys()].filter((name) => name.includes('lora_A'))
  const factors = names.map((A) => {
    const { layer, role } = parseLoraName(A)!
    const [outFeatures, inFeatures] = layers[layer][role].shape
    const named = { A, B: A.replace('lora_A', 'lora_B') }
    return { layer, role, rank: RANK, inFeatures, outFeatures, scale: SCALE, names: named }
  })
  const read: StoredLora['read'] = async ({ names }) => ({
    a: Float32Array.from(values.get(names.A)!),
    b: Float32Array.from(values.get(names.B)!),
  })
  return { name: 'trained', factors, read }
}

/** The mean loss over all targets of some samples, and the gradients of the factors, in float64. */
async function exact(reference: ReferenceModel, values: Values, samples: readonly TrainingSample[]) {
  const lora = asLora(values, reference)
  const merged = await reference.merged(lora)
  const parts = samples.map(({ ids, labels }) => {
    const targets = labels.slice(1).filter((label) => label >= 0).length
    return { targets, ...referenceGradient(merged, ids, labels) }
  })
  const targets = parts.reduce((sum, part) => sum + part.targets, 0)
  const gradients = new Map<string, Float64Array>()
  for (const { layer, role, inFeatures, outFeatures, names } of lora.factors) {
    const { name } = modelTensors(reference.config).layers[layer][role]
    const [a, b] = [values.get(names.A)!, values.get(names.B)!]
    const [da, db] = [new Float64Array(RANK * inFeatures), new Float64Array(outFeatures * RANK)]
    for (const part of parts) {
      const share = (SCALE * part.targets) / targets
      const dw = part.weights.get(name)!
      for (let n = 0; n < outFeatures; n++) {
        for (let j = 0; j < RANK; j++) {
          for (let i = 0; i < inFeatures; i++) {
            da[j * inFeatures + i] += share * b[n * RANK + j] * dw[n * inFeatures + i]
            db[n * RANK + j] += share * dw[n * inFeatures + i] * a[j * inFeatures + i]
          }
        }
      }
    }
    gradients.set(names.A, da).set(names.B, db)
  }
  return { loss: parts.reduce((sum, part) => sum + (part.loss * part.targets) / targets, 0), gradients }
}

/** A state in which B is not zero. */
function randomState(state: ReadonlyMap<string, ParameterState>): Map<string, ParameterState> {
  return new Map(
    [...state].map(([name, one], i) => {
      const parameter = name.includes('lora_B')
        ? randomNormal(one.parameter.length, 50 + i, 0.1)
        : one.parameter
      return [name, { ...one, parameter }]
    }),
  )
}

const valuesOf = (state: ReadonlyMap<string, ParameterState>): Values =>
  new Map([...state].map(([name, { parameter }]) => [name, parameter]))

describe('training of LoRA over 4-bit weights', () => {
  let base: ModelBase
  let reference: ReferenceModel
  let training: TrainingEngine
  let initial: Map<string, ParameterState>
  let before: number
  const long = randomSample(LONGEST, 1)
  const short = randomSample(9, 2)
  const middle = randomSample(20, 3)
  const plain = { gradientScale: 1, dropoutSeeds: undefined }

  beforeAll(async () => {
    const checkpoint = await openCheckpoint(await randomModel({ matrices: { type: 'q4', groupSize: 32 } }))
    reference = await ReferenceModel.open(checkpoint)
    const { config } = reference
    const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
    base = modelBase(gpu, config, await loadWeights(gpu, checkpoint, config, { positions: 2 }))
    before = gpu.total
    const options = { rank: RANK, scale: SCALE, roles: ROLES, dropout: 0.1, seed: 7 }
    training = await createLoraTraining(base, { ...options, maxSequenceLength: LONGEST, maxTokens: 70 })
    initial = await training.readState()
    training.writeState(randomState(initial))
  }, TIMEOUT_MS)
  afterAll(() => base?.gpu.dispose())

  it('begins where the model is: A as PEFT draws it, B zero', () => {
    expect(initial.size).toBe(base.config.layers * ROLES.length * 2)
    for (const [name, { shape, parameter }] of initial) {
      if (name.includes('lora_B')) {
        expect(shape[1]).toBe(RANK)
        expect(parameter.every((value) => value === 0)).toBe(true)
        continue
      }
      const bound = 1 / Math.sqrt(shape[1])
      const largest = parameter.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expect(shape[0]).toBe(RANK)
      expect(largest).toBeLessThanOrEqual(bound)
      expect(largest).toBeGreaterThan(0.9 * bound)
    }
    const planned = training.memory.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(base.gpu.total - before).toBeGreaterThanOrEqual(planned)
    expect(base.gpu.total - before).toBeLessThan(planned + 16 * 200)
  })

  it('has the loss and the gradients of the merged model in float64, of packed samples in several chunks', async () => {
    const batch = [short, long, middle]
    const values = valuesOf(await training.readState())
    const expected = await exact(reference, values, batch)
    const { loss } = await training.accumulateBatch(batch, plain)
    expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(tolerances(base.gpu).loss)
    const gradients = await training.readGradients()
    expect([...gradients.keys()]).toEqual([...initial.keys()])
    for (const [name, gradient] of gradients) {
      expectClose(gradient, expected.gradients.get(name)!, tolerances(base.gpu).gradient)
    }
    const { loss: evaluated } = await training.evaluate(middle)
    const { loss: alone } = await exact(reference, values, [middle])
    expect(Math.abs(evaluated / alone - 1)).toBeLessThan(tolerances(base.gpu).loss)
  })

  it('has the gradients that differences of the loss in float64 show', async () => {
    training.writeState(randomState(initial))
    await training.accumulateBatch([middle], plain)
    const gradients = await training.readGradients()
    const values = valuesOf(randomState(initial))
    for (const name of [...initial.keys()].filter((_, i) => i % 3 === 0)) {
      const at = gradients
        .get(name)!
        .reduce((best, value, i, all) => (Math.abs(value) > Math.abs(all[best]) ? i : best), 0)
      const step = 2 ** -6
      const loss = async (by: number) => {
        const moved = Float32Array.from(values.get(name)!)
        moved[at] += by
        return (await exact(reference, new Map([...values, [name, moved]]), [middle])).loss
      }
      const slope = ((await loss(step)) - (await loss(-step))) / (2 * step)
      expect(Math.abs(gradients.get(name)![at] / slope - 1), name).toBeLessThan(base.gpu.f16 ? 3e-2 : 2e-3)
    }
  })

  it('takes five steps as AdamW does in float64', async () => {
    training.writeState(randomState(initial))
    let values = new Map<string, Float64Array>(
      [...valuesOf(randomState(initial))].map(([name, one]) => [name, Float64Array.from(one)]),
    )
    const moments = new Map<string, Float64Array[]>(
      [...values].map(([name, { length }]) => [name, [new Float64Array(length), new Float64Array(length)]]),
    )
    for (let step = 1; step <= 5; step++) {
      const batch = [short, middle]
      const { loss } = await training.accumulateBatch(batch, plain)
      await training.update({ ...UPDATE, maxGradientNorm: undefined, step })
      const expected = await exact(reference, values, batch)
      expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(1e-3)
      values = new Map(
        [...values].map(([name, parameter]) => {
          const [firstMoment, secondMoment] = moments.get(name)!
          const gradient = expected.gradients.get(name)!
          const next = adamWReference({ parameter, firstMoment, secondMoment }, gradient, { ...UPDATE, step })
          moments.set(name, [next.firstMoment, next.secondMoment])
          return [name, next.parameter]
        }),
      )
    }
    for (const [name, { parameter }] of await training.readState())
      expectClose(parameter, values.get(name)!, 1e-3)
  })

  it('drops other elements with another seed, and the same with the same', async () => {
    const once = async (seed: number | undefined) => {
      training.writeState(randomState(initial))
      const dropoutSeeds = seed === undefined ? undefined : [seed]
      const { loss } = await training.accumulateBatch([middle], { gradientScale: 1, dropoutSeeds })
      return { loss, gradients: await training.readGradients() }
    }
    const [kept, one, again, other] = [await once(undefined), await once(1), await once(1), await once(2)]
    expect(again).toEqual(one)
    expect(new Set([kept.loss, one.loss, other.loss]).size).toBe(3)
    expect(Math.abs(one.loss / kept.loss - 1)).toBeLessThan(0.2)
  })
})
