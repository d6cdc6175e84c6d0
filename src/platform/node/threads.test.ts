import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorkers } from '../index.js'
import { Threads } from './threads.js'

/** Squares numbers, and fails at 13. */
const PROGRAM = `
import { parentPort } from 'node:worker_threads'
parentPort.on('message', (job) => {
  if (job === 13) throw new RangeError('unlucky')
  parentPort.postMessage(job * job)
})`

describe('threads', () => {
  let folder: string
  let program: URL
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-threads-'))
    const file = join(folder, 'program.mjs')
    await writeFile(file, PROGRAM)
    program = pathToFileURL(file)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('do more jobs than there are of them, and give each its result', async () => {
    const threads = new Threads<number, number>(program, 2)
    const jobs = [1, 2, 3, 4, 5, 6, 7]
    expect(await Promise.all(jobs.map((job) => threads.run(job)))).toEqual([1, 4, 9, 16, 25, 36, 49])
    await threads.close()
  })

  it('give a failure to everyone who waits, and to who comes later', async () => {
    const threads = new Threads<number, number>(program, 1)
    const results = await Promise.allSettled([threads.run(13), threads.run(2)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(threads.run(3)).rejects.toThrow('unlucky')
    await threads.close()
  })

  it('give way to this thread where there is no program for them', async () => {
    const workers = await openWorkers('no-such-program', (job: number) => job + 1)
    expect(workers.parallel).toBe(1)
    expect(await workers.run(1)).toBe(2)
    await workers.close()
  })
})
