import { type MessagePort, Worker } from 'node:worker_threads'
import { fillNormalFloat16, type NormalDistribution } from './normal-values.js'

/** Consecutive float16 values of a tensor. */
export interface NormalChunk {
  readonly distribution: NormalDistribution
  readonly seed: number
  /** The tensor and the place in it. */
  readonly label: string
  readonly byteLength: number
}

/** Computes chunks, several at a time. */
export interface ChunkMaker {
  /** How many chunks to ask for before waiting for the first, so that nothing stands idle. */
  readonly parallel: number
  /**
   * @param memory at least as long as the chunk; not to be used from now on
   * @returns the values, at the beginning of memory that is the caller's again
   */
  make(chunk: NormalChunk, memory: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

function fill({ distribution, seed, label, byteLength }: NormalChunk, memory: ArrayBuffer): void {
  fillNormalFloat16(new Uint16Array(memory, 0, byteLength / 2), distribution, seed, label)
}

/** Computes in this thread. */
export const IN_THIS_THREAD: ChunkMaker = {
  parallel: 1,
  make: async (chunk, memory) => {
    fill(chunk, memory)
    return new Uint8Array(memory, 0, chunk.byteLength)
  },
  close: async () => {},
}

interface Order {
  readonly chunk: NormalChunk
  readonly memory: ArrayBuffer
}

/** What a thread of `startThreads` does: fills the memory that it is sent, and sends it back. */
export function serveChunks(port: MessagePort): void {
  port.on('message', ({ chunk, memory }: Order) => {
    fill(chunk, memory)
    port.postMessage(memory, [memory])
  })
}

/**
 * Starts threads that compute chunks.
 *
 * @param program a module that calls `serveChunks` when it is run as a thread
 */
export function startThreads(program: URL, count: number): ChunkMaker {
  const threads = Array.from({ length: count }, () => new ChunkThread(program))
  let orders = 0
  return {
    // Each has its next order before it is done with the one at hand.
    parallel: 2 * count,
    make: (chunk, memory) => threads[orders++ % count].make(chunk, memory),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}

/** A thread with its orders, which it answers one after another. */
class ChunkThread {
  readonly #worker: Worker
  readonly #waiting: { resolve(memory: ArrayBuffer): void; reject(reason: unknown): void }[] = []

  constructor(program: URL) {
    this.#worker = new Worker(program)
    this.#worker.on('message', (memory: ArrayBuffer) => this.#waiting.shift()?.resolve(memory))
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    })
  }

  async make(chunk: NormalChunk, memory: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const filled = await new Promise<ArrayBuffer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage({ chunk, memory } satisfies Order, [memory])
    })
    return new Uint8Array(filled, 0, chunk.byteLength)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
