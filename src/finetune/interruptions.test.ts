/** What is kept of a training that is interrupted, and how it goes on; over an engine on the CPU. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ByteSink, MemoryFiles, type SinkFile } from '../checkpoint/index.js'
import { deviceLost } from '../gpu/index.js'
import { diverged } from './engine/errors.js'
import type { PrefixTrainingOptions } from './engine/training-engine.js'
import { FAKE_MODEL, FakeTraining } from './testing/fake-engine.js'
import { data, eventsOf, heldOut, SETTINGS, train } from './testing/fake-training.js'
import { type FinetuneOptions, trainPrefix } from './train-prefix.js'
import type { TrainingEvent } from './training-event.js'

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

describe('an interrupted training', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-train-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const whole = { evaluation: heldOut, evaluationInterval: 3, torchBin: true }

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

  it.each([6, 12])('goes on bit for bit after Ctrl-C in the evaluation at step %i', async (at) => {
    const begun = await compare(async (output) => {
      const controller = new AbortController()
      let evaluating = 0
      const stop = (event: TrainingEvent) => {
        if (event.type === 'evaluating' && event.done === 1 && ++evaluating === at / 3) controller.abort()
      }
      const { events } = await train({ ...whole, output, signal: controller.signal, onProgress: stop })
      expect(eventsOf(events, 'checkpoint').at(-1)?.step).toBe(at)
    })
    expect(begun).toBe(at)
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
      // The process lives on here, unlike after a crash, and its lock with it.
      await rm(join(output, '.chatglm-webgpu.lock'))
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
        if (step === 7) throw deviceLost('unknown')
      }
    })
    expect(error).toMatchObject({
      code: 'training.stopped',
      details: { step: 6, checkpoint: join(folder, 'a/checkpoint-5') },
    })
    expect(error?.cause).toMatchObject({ code: 'device.lost' })
    expect(error?.message).toMatch(
      /^The training stopped after 6 of 12 steps: .*device was lost.*checkpoint-5 is complete: resume/s,
    )
    const diverging = (at: number) => (engine: FakeTraining) => {
      engine.beforeUpdate = (step) => {
        if (step === at) throw diverged('gradient norm', Number.NaN)
      }
    }
    // The same settings would diverge again, so there is no word of resuming.
    const late = await train({}, diverging(6))
    expect(late.error?.message).toMatch(
      /after 5 of 12 steps: The gradient norm is NaN: .*checkpoint-5 is complete\.$/,
    )
    const early = await train({}, diverging(1))
    expect(early.error?.message).toMatch(
      /after 0 of 12 steps: .* lower learning rate. There is no checkpoint yet\.$/,
    )
  })

  it('keeps what was saved when the disk is full', async () => {
    const disk = new FullDisk(new MemoryFiles())
    const { error } = await train({
      output: disk,
      onProgress: (event) => {
        if (event.type === 'checkpoint') disk.room = 700
      },
    })
    expect(error).toMatchObject({
      code: 'training.stopped',
      details: { step: 10, checkpoint: 'full/checkpoint-5' },
    })
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
    expect(error).toMatchObject({ code: 'training.resume-mismatch' })
    expect(error?.message).toMatch(/^Every checkpoint in .* is damaged/)
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
      expect(error).toMatchObject({ code: 'training.resume-mismatch' })
      expect(error?.message).toContain(`The training in ${output} was begun with ${message}`)
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
