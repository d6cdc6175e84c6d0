/** The course of a training, its checkpoints, and how it goes on after an interruption; over an engine on the CPU. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  asFloat32Array,
  type ByteSink,
  MemoryFiles,
  openCheckpoint,
  type SinkFile,
} from '../src/checkpoint/index.js'
import { createDataset, type TrainingDataset } from '../src/finetune/data/dataset.js'
import type { PrefixTrainingOptions } from '../src/finetune/engine/training-engine.js'
import { learningRateAt } from '../src/finetune/learning-rate.js'
import { PRESETS } from '../src/finetune/presets.js'
import { SampleOrder } from '../src/finetune/sample-order.js'
import { FAKE_MODEL, FakeTraining } from '../src/finetune/testing.js'
import { type FinetuneOptions, type TrainingOutcome, trainPrefix } from '../src/finetune/train-prefix.js'
import type { TrainingEvent } from '../src/finetune/training-event.js'
import { DeviceLostError } from '../src/kernels/index.js'
import { Tokenizer } from '../src/tokenizer/index.js'

const SETTINGS = {
  prefixLength: 3,
  learningRate: 0.2,
  batchSize: 2,
  accumulationSteps: 2,
  maxSteps: 12,
  saveInterval: 5,
  logInterval: 4,
} as const

let data: TrainingDataset
let heldOut: TrainingDataset

beforeAll(async () => {
  const tokenizer = Tokenizer.fromSentencePiece(await readFile('models/tiny/tokenizer.model'))
  const settings = { format: 'input-output', maxSourceLength: 32, maxTargetLength: 32 } as const
  const words = ['宽松', '性感', '阔腿裤', '针织', '复古风格', '优雅', '收腰']
  const records = words.map((word, i) => ({ prompt: `类型#${word}`, response: word.repeat(1 + (i % 3)) }))
  data = await createDataset(records, tokenizer, settings)
  heldOut = await createDataset(records.slice(0, 2), tokenizer, settings, 'held-out data')
})

/** Runs a training; `prepare` may arrange for what happens in it. */
async function train(options: FinetuneOptions = {}, prepare: (engine: FakeTraining) => void = () => {}) {
  const events: TrainingEvent[] = []
  let engine: FakeTraining | undefined
  const create = async (engineOptions: PrefixTrainingOptions) => {
    engine = new FakeTraining(engineOptions)
    prepare(engine)
    return engine
  }
  const onProgress = (event: TrainingEvent) => {
    events.push(event)
    options.onProgress?.(event)
  }
  const outcome: Partial<TrainingOutcome> & { error?: Error } = await trainPrefix(create, FAKE_MODEL, data, {
    ...SETTINGS,
    ...options,
    onProgress,
  }).catch((error: Error) => ({ error }))
  return { ...outcome, events, engine: engine! }
}

const eventsOf = <Type extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: Type) =>
  events.filter((event): event is Extract<TrainingEvent, { type: Type }> => event.type === type)

/** Fails from a write on, as a full disk does. */
class FullDisk implements ByteSink {
  readonly name = 'full'
  /** Bytes that still fit. */
  room = Number.POSITIVE_INFINITY
  constructor(readonly files: MemoryFiles) {}
  list = () => this.files.list()
  has = (path: string) => this.files.has(path)
  size = (path: string) => this.files.size(path)
  read = (path: string, start: number, end: number) => this.files.read(path, start, end)
  remove = (path: string) => this.files.remove(path)
  async create(path: string): Promise<SinkFile> {
    const file = await this.files.create(path)
    return {
      ...file,
      write: async (bytes) => {
        this.room -= bytes.byteLength
        if (this.room < 0) throw new Error('No space left on the disk.')
        await file.write(bytes)
      },
    }
  }
}

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
    expect(`${error?.name}: ${error?.message}`).toContain(`InvalidOptionError: ${message}`)
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
    expect(again.error?.name).toBe('TrainingResumeError')
    expect(again.error?.message).toBe(
      'out holds a training up to checkpoint-1 already. Resume it, or give another folder.',
    )
    const model = new MemoryFiles([['model.safetensors.index.json', new Uint8Array()]], 'chatglm3-6b')
    const { error } = await train({ output: model })
    expect(`${error}`).toMatch(/SinkError: chatglm3-6b holds other weights \(model.safetensors.index.json\)/)
  })
})

describe('an interrupted training', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-train-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const whole = {
    evaluation: undefined as TrainingDataset | undefined,
    evaluationInterval: 3,
    torchBin: true,
  }
  beforeAll(() => {
    whole.evaluation = heldOut
  })

  const contents = async (name: string) => {
    const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const all = await Promise.all(
      files.map(async (file) => [file.slice(folder.length + name.length + 1), await readFile(file)] as const),
    )
    return new Map(all.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Interrupts a training in some way, goes on with it, and compares what came out: files that name other intervals apart. */
  async function compare(interrupt: (output: string) => Promise<unknown>) {
    await train({ ...whole, output: join(folder, 'whole') })
    await interrupt(join(folder, 'parts'))
    const { error, events } = await train({ ...whole, output: join(folder, 'parts'), resume: true })
    expect(error).toBeUndefined()
    const [expected, resumed] = [await contents('whole'), await contents('parts')]
    for (const [path, bytes] of expected) {
      if (!/(checkpoints|training|manifest)\.json$/.test(path))
        expect(resumed.get(path)?.equals(bytes), path).toBe(true)
    }
    expect(expected.size).toBeGreaterThan(15)
    return eventsOf(events, 'start')[0].step
  }

  it('goes on bit for bit after Ctrl-C, from the last step', async () => {
    const begun = await compare(async (output) => {
      const controller = new AbortController()
      const reason = new Error('stop')
      const stop = (event: TrainingEvent) => {
        if (event.type === 'batch' && event.step === 8 && event.batch === 1) controller.abort(reason)
      }
      const { error, events } = await train({ ...whole, output, signal: controller.signal, onProgress: stop })
      expect(error).toBe(reason)
      expect(eventsOf(events, 'checkpoint').map(({ name }) => name)).toEqual(['checkpoint-5', 'checkpoint-7'])
    })
    expect(begun).toBe(7)
  })

  it('goes on bit for bit after a crash, from the last checkpoint', async () => {
    const begun = await compare(async (output) => {
      // Nothing after the crash runs: not even the error handling of the training.
      await new Promise<void>((resolve) => {
        void train({ ...whole, output }, (engine) => {
          const update = engine.update.bind(engine)
          engine.update = (options) => {
            if (options.step !== 9) return update(options)
            resolve()
            return new Promise(() => {})
          }
        })
      })
    })
    expect(begun).toBe(5)
  })

  it('goes on bit for bit after several, with other intervals', async () => {
    const begun = await compare(async (output) => {
      for (const step of [2, 6, 11]) {
        await train({ ...whole, output, resume: true, saveInterval: 1 }, (engine) => {
          engine.beforeUpdate = (next) => {
            if (next === step) throw new Error('crash')
          }
        })
      }
    })
    expect(begun).toBe(10)
  })

  it('that the GPU or the numbers ended says what is kept', async () => {
    const { error } = await train({ output: join(folder, 'a') }, (engine) => {
      engine.beforeUpdate = (step) => {
        if (step === 7) throw new DeviceLostError('unknown')
      }
    })
    expect(error).toMatchObject({
      name: 'TrainingStoppedError',
      step: 6,
      checkpoint: join(folder, 'a/checkpoint-5'),
    })
    expect(error?.cause).toBeInstanceOf(DeviceLostError)
    expect(error?.message).toMatch(
      /^The training stopped after 6 of 12 steps: .*device was lost.*checkpoint-5 is complete: resume/s,
    )
    const early = await train({}, (engine) => {
      engine.beforeUpdate = () => {
        throw new Error('The loss is NaN.')
      }
    })
    expect(early.error?.message).toMatch(/after 0 of 12 steps: The loss is NaN. There is no checkpoint yet/)
  })

  it('keeps what was saved when the disk is full', async () => {
    const disk = new FullDisk(new MemoryFiles())
    const { error } = await train({
      output: disk,
      onProgress: (event) => {
        if (event.type === 'checkpoint') disk.room = 700
      },
    })
    expect(error).toMatchObject({ name: 'TrainingStoppedError', step: 10, checkpoint: 'full/checkpoint-5' })
    expect(error?.message).toContain('No space left on the disk. full/checkpoint-5 is complete')
    expect(await disk.has('checkpoint-10/model.safetensors')).toBe(false)
    disk.room = Number.POSITIVE_INFINITY
    const { steps, events } = await train({ output: disk, resume: true })
    expect([eventsOf(events, 'start')[0].step, steps]).toEqual([5, 12])
  })

  it('passes over a damaged checkpoint, and says so', async () => {
    const output = join(folder, 'a')
    await train({ output })
    await writeFile(join(output, 'checkpoint-12/optimizer.safetensors'), 'x')
    const { events } = await train({ output, resume: true })
    expect(eventsOf(events, 'start')).toMatchObject([{ step: 10, damaged: [join(output, 'checkpoint-12')] }])
    for (const step of [5, 10, 12]) await rm(join(output, `checkpoint-${step}`), { recursive: true })
    const { error } = await train({ output, resume: true })
    expect(`${error}`).toMatch(/TrainingResumeError: Every checkpoint in .* is damaged/)
    await writeFile(join(output, 'checkpoints.json'), '{')
    expect(`${(await train({ output, resume: true })).error}`).toMatch(/checkpoints.json in .* is damaged/)
  })

  it('that is complete has nothing more to do, and one that never began begins', async () => {
    const output = join(folder, 'a')
    expect((await train({ output, resume: true })).steps).toBe(12)
    const { steps, engine } = await train({ output, resume: true })
    expect([steps, engine.updates.length]).toEqual([12, 0])
  })

  it('does not go on as another one', async () => {
    const output = join(folder, 'a')
    await train({ output, maxSteps: 12 })
    const changes: [FinetuneOptions, string][] = [
      [{ learningRate: 0.1 }, 'learningRate 0.2, not 0.1'],
      [{ maxSteps: 13 }, 'maxSteps 12, not 13'],
      [{ prefixLength: 4 }, 'prefixLength 3, not 4'],
      [{ schedule: 'cosine' }, 'schedule linear, not cosine'],
      [{ seed: 1 }, 'seed 42, not 1'],
    ]
    for (const [change, message] of changes) {
      const { error } = await train({ output, resume: true, ...change })
      expect(`${error}`).toContain(`TrainingResumeError: The training in ${output} was begun with ${message}`)
    }
    const create = async (options: PrefixTrainingOptions) => new FakeTraining(options)
    await expect(
      trainPrefix(create, { ...FAKE_MODEL, layers: 3 }, data, { ...SETTINGS, output, resume: true }),
    ).rejects.toThrow('was begun with a model of layers 2, not 3')
    await expect(
      trainPrefix(create, FAKE_MODEL, heldOut, { ...SETTINGS, output, resume: true }),
    ).rejects.toThrow('was begun with other data (7 samples then, 2 now)')
  })
})
