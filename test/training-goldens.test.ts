import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type Checkpoint,
  type DType,
  type FloatDType,
  MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  toFloat32,
  writeSafetensors,
} from '../src/checkpoint/index.js'
import { createPrefixTraining } from '../src/finetune/engine/prefix-training.js'
import type { ParameterState, PrefixTrainingEngine } from '../src/finetune/engine/training-engine.js'
import { Gpu } from '../src/gpu/index.js'
import { expectClose } from '../src/kernels/testing/numbers.js'
import { modelBase } from '../src/runtime/engine/index.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { loadWeights } from '../src/runtime/model/load-weights.js'
import type { ModelBase } from '../src/runtime/model/weights.js'
import { describeGolden, goldenFloats, goldenIds, openGolden, readGolden } from './goldens.js'

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
/**
 * Of parameters after five steps with a projection: the largest error and the root of the mean square, relative to the
 * largest element. AdamW's first step goes by the sign of each gradient, so that rounding turns steps over where a
 * gradient is next to nothing, and everything behind them moves with them. These are what PyTorch 2.11 itself is away from
 * the goldens, which it made on a CPU, when it takes the same steps in float32 with another number of threads, by other
 * formulas or on an H100: up to 4.3e-3 and 6.8e-4 for mqa-d32, 1.6e-2 and 3.0e-3 for mqa-d128. In float64 it is 2.8e-3 and
 * 8.1e-3 away, so that the goldens themselves say no more.
 */
const PROJECTION_TOLERANCE: Readonly<Record<string, { readonly largest: number; readonly mean: number }>> = {
  'mqa-d32': { largest: 5e-3, mean: 8e-4 },
  'mqa-d128': { largest: 2e-2, mean: 4e-3 },
}
/** Of the first step, which nothing is behind yet. */
const FIRST_STEP_TOLERANCE = 1e-4
/** Of norms where the golden's float32 weights are rounded to f16 as they are loaded. */
const ROUNDED_TOLERANCE = 5e-3

const ENCODER = 'transformer.prefix_encoder.'

/** The software adapter computes for seconds, and for longer where it shares its cores. */
const TIMEOUT_MS = 180_000

async function openBase(checkpoint: Checkpoint): Promise<ModelBase> {
  const config = parseModelConfig(checkpoint.config)
  // The goldens were computed in float32: no products in f16.
  const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!, { without: ['shader-f16'] })
  return modelBase(gpu, config, await loadWeights(gpu, checkpoint, config, { positions: 4 }))
}

/** Asserts that each number is close, relative to itself. */
function expectEachClose(
  actual: readonly number[],
  expected: ArrayLike<number>,
  tolerance = LOSS_TOLERANCE,
): void {
  const errors = actual.map((value, i) => Math.abs(value / expected[i] - 1))
  expect(errors.length).toBe(expected.length)
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance)
}

/** The root of the mean square of the errors, relative to the largest element. */
function meanError(actual: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const squares = expected.reduce((sum, value, i) => sum + (actual[i] - value) ** 2, 0)
  return Math.sqrt(squares / expected.length) / largest
}

/** Gives a training the parameters of a checkpoint, moments at zero. */
async function writeEncoder(training: PrefixTrainingEngine, encoder: Checkpoint): Promise<void> {
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

/**
 * Asserts that the first step is that of AdamW for the golden's gradients: by the learning rate against the sign of each.
 * Elements whose sign rounding decides are left out.
 */
async function expectFirstStep(
  before: ReadonlyMap<string, ParameterState>,
  after: ReadonlyMap<string, ParameterState>,
  golden: Checkpoint,
  tag: string,
): Promise<void> {
  const gradients = [
    ...(await tensorsUnder(golden, `${tag}.grad.`)),
    ...(await tensorsUnder(golden, `${tag}.grad_row0.`)),
  ]
  for (const [name, gradient] of gradients) {
    const [from, to] = [before.get(name)!.parameter, after.get(name)!.parameter]
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const clear = (value: number) => Math.abs(value) > TENSOR_TOLERANCE * largest
    expect(gradient.filter(clear).length).toBeGreaterThan(0.9 * gradient.length)
    const steps = gradient.map((_, i) => from[i] - to[i])
    const { learningRate, epsilon } = ADAMW
    const expected = gradient.map((value) => (learningRate * value) / (Math.abs(value) + epsilon))
    const isClear = (_: number, i: number) => clear(gradient[i])
    expectClose(steps.filter(isClear), expected.filter(isClear), FIRST_STEP_TOLERANCE)
  }
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

    it.each(Object.entries(ENCODERS))(
      'has the losses, gradients and parameters of %s',
      async (tag, file) => {
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
          const before = step === 1 ? await training.readState() : undefined
          await training.update({ ...ADAMW, step })
          if (before) await expectFirstStep(before, await training.readState(), golden, tag)
        }
        expectEachClose(losses, await goldenFloats(golden, `${tag}.losses`))
        const state = await training.readState()
        const { largest, mean } = PROJECTION_TOLERANCE[model]
        for (const [name, expected] of await tensorsUnder(golden, `${tag}.after5.`)) {
          const actual = state.get(name)!.parameter
          if (tag === 'prefix') expectClose(actual, expected, TENSOR_TOLERANCE)
          else {
            expectClose(actual, expected, largest)
            expect(meanError(actual, expected)).toBeLessThanOrEqual(mean)
          }
        }
        training.dispose()
      },
      TIMEOUT_MS,
    )
  })
}

/** A tensor of float64 of a golden. */
async function goldenFloat64(golden: Checkpoint, name: string): Promise<Float64Array> {
  golden.requireTensor(name, { dtype: ['F64'] })
  return new Float64Array((await golden.read(name)).slice().buffer)
}

/** The base model in a file of `tiny/`, whose config is in the metadata and whose weights are under `w.`. */
async function tinyModel(golden: Checkpoint, file: Buffer): Promise<Checkpoint> {
  const header = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE())))
  const { config: json } = header.__metadata__ as Record<string, string>
  const config = { model_type: 'chatglm', multi_query_group_num: 2, ...JSON.parse(json) }
  const names = [...golden.tensors.keys()].filter((name) => /^w\.(?!.*(prefix_encoder|rotary))/.test(name))
  const tensors = await Promise.all(
    names.map(async (name): Promise<TensorWithBytes> => {
      const { dtype, shape } = golden.requireTensor(name)
      return { name: name.slice(2), dtype: dtype as DType, shape, bytes: await golden.read(name) }
    }),
  )
  const files = new MemoryFiles([['config.json', new TextEncoder().encode(JSON.stringify(config))]])
  await writeSafetensors(files, 'model.safetensors', tensors)
  return openCheckpoint(files)
}

describeGolden('training with a linear schedule and clipping', () => {
  it(
    'has the losses, norms and parameters of 8 steps over a batch of two',
    async () => {
      const file = ['tiny', 'tiny_ptuning.safetensors']
      const golden = await openGolden(...file)
      const base = await openBase(await tinyModel(golden, await readGolden(...file)))
      const [ids, labels, mask] = await Promise.all(
        ['b.ids', 'b.labels', 'b.attention_mask'].map((name) => goldenIds(golden, name)),
      )
      // Left padding changes nothing but who computes it: positions begin at the first real token.
      const samples = [0, 1].map((row) => {
        const real = (values: readonly number[]) =>
          values.slice(row * 7, row * 7 + 7).filter((_, i) => mask[row * 7 + i] === 1)
        return { ids: real(ids), labels: real(labels) }
      })
      const targets = labels.filter((label) => label !== -100).length
      const training = await createPrefixTraining(base, {
        prefixLength: 5,
        projection: false,
        maxSequenceLength: 7,
        dropout: 0.1,
        seed: 1,
      })
      await writeEncoder(training, golden)
      const rates = await goldenFloat64(golden, 'train.lrs')
      const [losses, norms]: number[][] = [[], []]
      const name = `${ENCODER}embedding.weight`
      for (const [index, learningRate] of rates.entries()) {
        // The loss of the batch is the mean over all its targets.
        const parts = samples.map(async (sample) => {
          const share = sample.labels.filter((label) => label !== -100).length / targets
          const { loss } = await training.accumulate(sample, { gradientScale: share, dropoutSeed: undefined })
          return share * loss
        })
        losses.push((await Promise.all(parts)).reduce((sum, part) => sum + part))
        if (index === 0) {
          const gradients = await training.readGradients()
          expectClose(gradients.get(name)!, await goldenFloats(golden, `grad0.${name}`), TENSOR_TOLERANCE)
        }
        const options = { ...ADAMW, learningRate, maxGradientNorm: 1, step: index + 1 }
        norms.push((await training.update(options)).gradientNorm)
      }
      expectEachClose(losses, await goldenFloat64(golden, 'train.losses'))
      expectEachClose(norms, await goldenFloat64(golden, 'train.grad_norms_before_clip'), ROUNDED_TOLERANCE)
      const after = (await training.readState()).get(name)!.parameter
      const expected = await goldenFloats(golden, `after8.${name}`)
      // The first step goes by the sign of the gradient, however small it is; rounded weights turn it over where it is
      // next to nothing.
      const first = await goldenFloats(golden, `grad0.${name}`)
      const largest = first.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      const clear = (_: number, i: number) => Math.abs(first[i]) > 1e-3 * largest
      expect(expected.filter(clear).length).toBeGreaterThan(0.97 * expected.length)
      expectClose(after.filter(clear), expected.filter(clear), TENSOR_TOLERANCE)
      base.gpu.dispose()
    },
    TIMEOUT_MS,
  )
})
