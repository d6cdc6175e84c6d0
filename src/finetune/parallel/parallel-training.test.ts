/** Training on several workers, over engines on the CPU. */
import { describe, expect, it } from 'vitest'
import { MemoryFiles } from '../../checkpoint/index.js'
import { DeviceError, disposed } from '../../errors/index.js'
import type { TrainingOutcome } from '../run-training.js'
import { FAKE_MODEL, FakeTraining } from '../testing/fake-engine.js'
import { data, eventsOf, SETTINGS, train } from '../testing/fake-training.js'
import { type FinetuneOptions, trainPrefix } from '../train-prefix.js'
import type { TrainingEvent } from '../training-event.js'
import { ParallelTraining } from './parallel-training.js'
import { EngineWorker } from './training-worker.js'

/** A worker whose process can be killed: then every call fails. */
class Mortal extends EngineWorker {
  readonly engine: FakeTraining
  dead = false

  constructor(engine: FakeTraining) {
    super(engine)
    this.engine = engine
  }

  override async accumulateBatch(...args: Parameters<EngineWorker['accumulateBatch']>) {
    this.#check()
    const result = await super.accumulateBatch(...args)
    this.#check()
    return result
  }

  override async updateWith(...args: Parameters<EngineWorker['updateWith']>) {
    this.#check()
    return super.updateWith(...args)
  }

  override async readState() {
    this.#check()
    return super.readState()
  }

  #check(): void {
    if (this.dead)
      throw new DeviceError('device.worker-failed', 'The process of GPU 1 failed: it was ended by SIGKILL.')
  }
}

interface Given extends FinetuneOptions {
  readonly workers?: number
  readonly continueOnLoss?: boolean
  /** Called at each event, with the workers. */
  readonly at?: (event: TrainingEvent, workers: readonly Mortal[]) => void
}

async function trainOn({ workers: count = 2, continueOnLoss = false, at, ...options }: Given = {}) {
  let workers: Mortal[] = []
  const events: TrainingEvent[] = []
  const output = options.output ?? new MemoryFiles([], 'parallel')
  const all = { ...SETTINGS, ...options, output }
  const run = trainPrefix(
    async (engine) => {
      workers = Array.from({ length: count }, () => new Mortal(new FakeTraining(engine)))
      return new ParallelTraining(workers, { accumulationSteps: all.accumulationSteps, continueOnLoss })
    },
    FAKE_MODEL,
    data,
    {
      ...all,
      onProgress: (event) => {
        events.push(event)
        at?.(event, workers)
      },
    },
  )
  const result: Partial<TrainingOutcome> & { error?: Error } = await run.catch((error: Error) => ({ error }))
  return { workers, events, output, ...result }
}

const rowsOf = async (engine: FakeTraining) => [...(await engine.readPrefixRows())]
const expectNear = (one: readonly number[], other: readonly number[]) => {
  expect(one).toHaveLength(other.length)
  for (const [index, value] of one.entries()) expect(Math.abs(value - other[index])).toBeLessThan(1e-4)
}

describe('training on two workers', () => {
  it('is that on one, up to the order of sums; each has half of the micro-batches', async () => {
    const one = await train({ maxSteps: 4, accumulationSteps: 4 })
    const { workers, events, steps } = await trainOn({ maxSteps: 4, accumulationSteps: 4 })
    expect(steps).toBe(4)
    for (const { engine } of workers) expectNear(await rowsOf(engine), await rowsOf(one.engine))
    const losses = (all: readonly TrainingEvent[]) => eventsOf(all, 'step').map(({ loss }) => loss)
    expectNear(losses(events), losses(one.events))
    const seeds = (engine: FakeTraining) => engine.accumulated.map(({ options }) => options.dropoutSeed)
    expect(workers.map(({ engine }) => seeds(engine).length > 0)).toEqual([true, true])
    expect(workers.flatMap(({ engine }) => seeds(engine)).sort()).toEqual(seeds(one.engine).sort())
    // The optimizer is in one place.
    expect(workers.map(({ engine }) => engine.updates.length)).toEqual([4, 0])
  })

  it('splits micro-batches where a step has too few of them, each target weighing the same', async () => {
    const settings = { maxSteps: 3, batchSize: 4, accumulationSteps: 1 }
    const one = await train(settings)
    const { workers } = await trainOn(settings)
    for (const { engine } of workers) expectNear(await rowsOf(engine), await rowsOf(one.engine))
    expect(workers.every(({ engine }) => engine.accumulated.length > 0)).toBe(true)
  })

  it('is the same, bit by bit, when it is done again', async () => {
    const [first, second] = [await trainOn({ workers: 3 }), await trainOn({ workers: 3 })]
    expect(await rowsOf(first.workers[2].engine)).toEqual(await rowsOf(second.workers[2].engine))
  })

  it('goes on from a checkpoint, also with another number of workers', async () => {
    const whole = await trainOn({ maxSteps: 12 })
    const output = new MemoryFiles([], 'interrupted')
    const abort = new AbortController()
    await trainOn({
      output,
      maxSteps: 12,
      signal: abort.signal,
      at: (event) => event.type === 'step' && event.step === 6 && abort.abort(),
    })
    const resumed = await trainOn({ output, maxSteps: 12, resume: true, workers: 1 })
    expectNear(await rowsOf(resumed.workers[0].engine), await rowsOf(whole.workers[0].engine))
  })
})

describe('a worker that is lost', () => {
  const dieAt = (step: number, which: number) => (event: TrainingEvent, workers: readonly Mortal[]) => {
    if (event.type === 'batch' && event.step === step) workers[which].dead = true
  }

  it('ends the training at the last whole step, which is saved', async () => {
    const { error, output } = (await trainOn({ at: dieAt(8, 1) })) as { error: Error; output: MemoryFiles }
    expect(error).toMatchObject({
      code: 'training.stopped',
      details: { step: 7, checkpoint: 'parallel/checkpoint-7' },
    })
    expect(error.message).toContain('ended by SIGKILL')
    const resumed = await trainOn({ output, resume: true })
    const whole = await trainOn()
    expectNear(await rowsOf(resumed.workers[0].engine), await rowsOf(whole.workers[0].engine))
  })

  it.each([0, 1])(
    'number %i, is done without where that was asked for; the step is taken once',
    async (which) => {
      const whole = await trainOn()
      const { workers, events, steps } = await trainOn({ continueOnLoss: true, at: dieAt(8, which) })
      expect(steps).toBe(12)
      expect(eventsOf(events, 'recovered')).toMatchObject([{ step: 8 }])
      expect(eventsOf(events, 'step').map(({ step }) => step)).toEqual(
        Array.from({ length: 12 }, (_, i) => i + 1),
      )
      expectNear(await rowsOf(workers[1 - which].engine), await rowsOf(whole.workers[0].engine))
      expect(workers[which].engine.disposed).toBe(true)
    },
  )

  it('is lost before the first update, too', async () => {
    const whole = await trainOn({ maxSteps: 3 })
    const { workers } = await trainOn({ maxSteps: 3, continueOnLoss: true, at: dieAt(1, 0) })
    expectNear(await rowsOf(workers[1].engine), await rowsOf(whole.workers[0].engine))
  })

  it('and is the last one, ends the training', async () => {
    const all = (event: TrainingEvent, workers: readonly Mortal[]) => {
      if (event.type === 'batch' && event.step === 2) for (const worker of workers) worker.dead = true
    }
    const { error } = (await trainOn({ continueOnLoss: true, at: all })) as { error: Error }
    expect(error).toMatchObject({ code: 'training.stopped' })
  })

  it('is not taken for one whose samples are wrong', async () => {
    const training = new ParallelTraining([], { accumulationSteps: 1, continueOnLoss: true })
    expect(await training.recover(new Error('training.sample-invalid'))).toBe(false)
    expect(await training.recover(disposed('training'))).toBe(false)
  })
})
