import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Checkpoint,
  type FloatDType,
  MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  toFloat32,
  writeSafetensors,
} from '../src/checkpoint/index.js'
import type { ParameterState, TrainingEngine } from '../src/finetune/engine/training-engine.js'
import { createPrefixTraining } from '../src/finetune/engine/prefix-training.js'
import { Gpu } from '../src/kernels/index.js'
import { expectClose } from '../src/kernels/testing/numbers.js'
import { parseModelConfig } from '../src/runtime/config.js'
import { loadWeights } from '../src/runtime/load-weights.js'
import type { ModelBase } from '../src/runtime/weights.js'
import { describeGolden, goldenFloats, goldenIds, openGolden } from './goldens.js'

/** AdamW as the goldens were made with it. */
const ADAMW = {
  learningRate: 2e-2,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradientNorm: undefined,
}

/** Of losses relative to themselves; of gradients and parameters relative to the largest element. */
const [LOSS_TOLERANCE, TENSOR_TOLERANCE] = [1e-3, 2e-3]

const ENCODER = 'transformer.prefix_encoder.'

async function openBase(checkpoint: Checkpoint): Promise<ModelBase> {
  const config = parseModelConfig(checkpoint.config)
  // The goldens were computed in float32: no products in f16.
  const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!, { without: ['shader-f16'] })
  return { gpu, config, weights: await loadWeights(gpu, checkpoint, config, { positions: 4 }) }
}

/** Gives a training the parameters of a checkpoint, moments at zero. */
async function writeEncoder(training: TrainingEngine, encoder: Checkpoint): Promise<void> {
  const entries = [...(await training.readState())].map(
    async ([name, { shape }]): Promise<[string, ParameterState]> => {
      const stored = encoder.tensors.has(name) ? name : `w.${name}`
      const { dtype } = encoder.requireTensor(stored, { shape })
      const parameter = toFloat32(await encoder.read(stored), dtype as FloatDType).slice()
      const zeros = () => new Float32Array(parameter.length)
      return [name, { shape, parameter, firstMoment: zeros(), secondMoment: zeros() }]
    },
  )
  training.writeState(new Map(await Promise.all(entries)))
}

/** Tensors of a golden under a prefix, by the names behind it. */
async function tensorsUnder(golden: Checkpoint, prefix: string): Promise<[string, Float32Array][]> {
  const names = [...golden.tensors.keys()].filter((name) => name.startsWith(prefix))
  return Promise.all(
    names.map(async (name) => [name.slice(prefix.length), await goldenFloats(golden, name)] as const),
  ) as Promise<[string, Float32Array][]>
}

const ENCODERS = {
  prefix: 'prefix_pytorch_model.bin',
  prefix_projection: 'prefix_projection_encoder.safetensors',
} as const

for (const model of ['mqa-d32', 'mqa-d128']) {
  describeGolden(`training of the reference implementation's ${model}`, (folder) => {
    let base: ModelBase
    let golden: Checkpoint

    beforeAll(async () => {
      golden = await openGolden(model, 'golden.safetensors')
      base = await openBase(await openCheckpoint(join(folder, model, 'model.safetensors')))
    })
    afterAll(() => base?.gpu.dispose())

    it.each(Object.entries(ENCODERS))('has the losses, gradients and parameters of %s', async (tag, file) => {
      const encoder = await openCheckpoint(join(folder, model, file))
      const [prefixLength] = encoder.requireTensor(`${ENCODER}embedding.weight`).shape
      const ids = await goldenIds(golden, 'input_ids')
      const training = await createPrefixTraining(base, {
        prefixLength,
        projection: tag === 'prefix_projection',
        maxSequenceLength: ids.length + 1,
        dropout: 0.1,
        seed: 1,
      })
      await writeEncoder(training, encoder)
      const labels = ids.map((id, index) => (index < Math.floor(ids.length / 3) ? -100 : id))
      const losses: number[] = []
      for (let step = 1; step <= 5; step++) {
        const options = { gradientScale: 1, dropoutSeed: undefined }
        losses.push((await training.accumulate({ ids, labels }, options)).loss)
        if (step === 1) {
          const gradients = await training.readGradients()
          for (const [name, expected] of await tensorsUnder(golden, `${tag}.grad.`)) {
            expectClose(gradients.get(name)!, expected, TENSOR_TOLERANCE)
          }
          for (const [name, expected] of await tensorsUnder(golden, `${tag}.grad_row0.`)) {
            expectClose(gradients.get(name)!.subarray(0, expected.length), expected, TENSOR_TOLERANCE)
          }
        }
        await training.update({ ...ADAMW, step })
      }
      const expectedLosses = await goldenFloats(golden, `${tag}.losses`)
      expect(losses.map((loss, i) => Math.abs(loss / expectedLosses[i] - 1)).every((e) => e < LOSS_TOLERANCE)).toBe(true)
      const state = await training.readState()
      for (const [name, expected] of await tensorsUnder(golden, `${tag}.after5.`)) {
        expectClose(state.get(name)!.parameter, expected, TENSOR_TOLERANCE)
      }
      training.dispose()
    })
  })
}
