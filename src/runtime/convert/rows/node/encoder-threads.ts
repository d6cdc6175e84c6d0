import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker as Thread } from 'node:worker_threads'
import type { MatrixRows } from '../../../model/index.js'
import type { EncodedRows, RowJob } from '../encode-rows.js'
import type { RowEncoder } from '../row-encoder.js'

/** The program of a thread, which builds have beside their other files; there is none where sources are run as they are. */
const PROGRAM = './encode-worker.js'
/** More threads than this wait for the disk. */
const MOST_THREADS = 8

interface Waiting {
  readonly job: RowJob
  readonly resolve: (rows: EncodedRows) => void
  readonly reject: (error: unknown) => void
}

/** Starts threads, one for each core but this thread's; undefined where there would be one at most. */
export function startEncoderThreads(): RowEncoder | undefined {
  const program = new URL(PROGRAM, import.meta.url)
  const count = Math.min(MOST_THREADS, availableParallelism() - 1)
  if (count < 2 || !existsSync(fileURLToPath(program))) return undefined
  return new EncoderThreads(program, count)
}

class EncoderThreads implements RowEncoder {
  readonly parallel: number
  readonly #threads: readonly Thread[]
  readonly #free: Thread[]
  readonly #waiting: Waiting[] = []
  readonly #working = new Map<Thread, Waiting>()

  constructor(program: URL, count: number) {
    this.parallel = count
    this.#threads = Array.from({ length: count }, () => this.#start(program))
    this.#free = [...this.#threads]
  }

  encode(job: RowJob): Promise<EncodedRows> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job: { ...job, rows: owned(job.rows) }, resolve, reject })
      this.#next()
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  #start(program: URL): Thread {
    const thread = new Thread(program)
    // A conversion that was given up does not keep the process.
    thread.unref()
    const end = (settle: (waiting: Waiting) => void) => {
      const waiting = this.#working.get(thread)
      this.#working.delete(thread)
      if (waiting) settle(waiting)
    }
    thread.on('message', (rows: EncodedRows) => {
      end(({ resolve }) => resolve(rows))
      this.#free.push(thread)
      this.#next()
    })
    thread.on('error', (error) => end(({ reject }) => reject(error)))
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

/** The same bytes in memory of their own: of a view, a message would carry all that is around it. */
function owned(rows: MatrixRows): MatrixRows {
  return Object.fromEntries(
    Object.entries(rows).map(([part, bytes]) => [
      part,
      bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice(),
    ]),
  )
}
