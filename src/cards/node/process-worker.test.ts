/** Processes that do not what they should. The scripts speak the protocol by hand. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChosenCard } from './choose-cards.js'
import { READY } from './process-channel.js'
import { ProcessWorker } from './process-worker.js'

const CARD: ChosenCard = {
  index: 1,
  label: 'GPU 1 (Stub)',
  device: 'auto',
  adapterName: undefined,
  launcher: [],
}
const READY_LINE = `process.send(${JSON.stringify(READY)})`

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a process of a card', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-process-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  let scripts = 0
  async function start(code: string, times = {}, card = CARD): Promise<ProcessWorker> {
    const script = join(folder, `${++scripts}.mjs`)
    await writeFile(script, code)
    return ProcessWorker.start(card, script, times)
  }
  const problemOf = async (worker: ProcessWorker): Promise<string> => {
    const event = await new Promise<Event>((resolve) => worker.addEventListener('error', resolve))
    return (event as Event & { message: string }).message
  }

  it('that ends before it has begun is told of with what it wrote', async () => {
    const starting = start('console.error("no driver here"); process.exit(3)')
    await expect(starting).rejects.toMatchObject({ code: 'device.worker-failed' })
    await expect(starting).rejects.toThrow(
      'GPU 1 (Stub) failed: it ended with code 3; it wrote: no driver here',
    )
  })

  it('whose program cannot be started is told of', async () => {
    await expect(start('', {}, { ...CARD, launcher: ['/nowhere/unshare'] })).rejects.toThrow('ENOENT')
  })

  it('that is killed is an error, once', async () => {
    const worker = await start(`${READY_LINE}; setInterval(() => {}, 1000)`)
    const problem = problemOf(worker)
    process.kill(worker.pid!, 'SIGTERM')
    expect(await problem).toBe('it was ended by SIGTERM')
    worker.postMessage('nobody hears it')
    worker.terminate()
  })

  it('that stalls is ended', async () => {
    // One that is busy for good answers no sign of life.
    const worker = await start(`${READY_LINE}; setTimeout(() => { for (;;); }, 50)`, { stall: 300, ask: 50 })
    expect(await problemOf(worker)).toBe('it did not answer for 0.3 s')
    await expect.poll(() => isThere(worker.pid!)).toBe(false)
  })

  it('that says nonsense is ended', async () => {
    const worker = await start(`${READY_LINE}; setTimeout(() => process.send([1, 2]), 50)`)
    expect(await problemOf(worker)).toBe('it sent something that is no message')
  })

  it('is not told of where it was ended by who started it', async () => {
    const worker = await start(`${READY_LINE}; setInterval(() => {}, 1000)`)
    let told = false
    worker.addEventListener('error', () => {
      told = true
    })
    worker.terminate()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(told).toBe(false)
  })
})
