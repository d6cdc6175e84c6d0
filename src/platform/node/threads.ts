import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker as Thread } from 'node:worker_threads'
import type { Workers } from '../workers.js'

/** More threads than this wait for the disk, or for the thread that gives them jobs. */
const MOST_THREADS = 8

interface Waiting<Job, Result> {
  readonly job: Job
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Starts threads, one for each core but this thread's; undefined where there would be one at most, or where sources are run as
 * they are, which have no program for threads.
 */
export function startThreads<Job, Result>(program: string): Workers<Job, Result> | undefined {
  const address = new URL(`./${program}.js`, import.meta.url)
  const count = Math.min(MOST_THREADS, availableParallelism() - 1)
  if (count < 2 || !existsSync(fileURLToPath(address))) return undefined
  return new Threads(address, count)
}

/** Threads, and jobs that wait for one. */
export class Threads<Job, Result> implements Workers<Job, Result> {
  readonly parallel: number
  readonly #threads: readonly Thread[]
  readonly #free: Thread[]
  readonly #waiting: Waiting<Job, Result>[] = []
  readonly #working = new Map<Thread, Waiting<Job, Result>>()
  #failure: unknown

  /** @param program the file that each thread runs */
  constructor(program: URL, count: number) {
    this.parallel = count
    this.#threads = Array.from({ length: count }, () => this.#start(program))
    this.#free = [...this.#threads]
  }

  run(job: Job): Promise<Result> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
      this.#next()
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  #start(program: URL): Thread {
    const thread = new Thread(program)
    // Work that was given up does not keep the process.
    thread.unref()
    thread.on('message', (result: Result) => {
      this.#working.get(thread)?.resolve(result)
      this.#working.delete(thread)
      this.#free.push(thread)
      this.#next()
    })
    // The program throws only where it has a defect: nothing that waits would fare better.
    thread.on('error', (error) => {
      this.#failure = error
      for (const { reject } of [...this.#working.values(), ...this.#waiting.splice(0)]) reject(error)
    })
    return thread
  }

  #next(): void {
    const [thread, waiting] = [this.#free.at(-1), this.#waiting[0]]
    if (!thread || !waiting) return
    this.#free.pop()
    this.#waiting.shift()
    this.#working.set(thread, waiting)
    thread.postMessage(waiting.job)
  }
}
