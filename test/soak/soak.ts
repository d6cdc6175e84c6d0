import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Random } from '../../tools/tiny/random.js'
import type { Device, Work } from './works.js'

setFlagsFromString('--expose_gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of the process after its garbage was collected. */
export interface Memory {
  /** Objects and buffers of JavaScript. */
  readonly heap: number
  /** All that the process takes. */
  readonly process: number
}

/** How long objects may take that wait for timers, sockets or finalizers. */
const TURNS = 3

export async function memoryNow(): Promise<Memory> {
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    collectGarbage()
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed + arrayBuffers, process: rss }
}

export interface SoakOptions {
  readonly seed: number
  /** Default: the software adapter. */
  readonly device?: Device
  /** Rounds, at most. */
  readonly rounds: number
  /** When to end, of `performance.now()`. */
  readonly until?: number
  /** How often to look at the memory. */
  readonly samples: number
  readonly onSample?: (round: number, memory: Memory) => void
}

/** What was measured, in the order of the rounds. */
export interface SoakResult {
  readonly rounds: number
  readonly memory: readonly Memory[]
}

/** Does something again and again, and looks at the memory between. */
export async function soak(work: Work, options: SoakOptions): Promise<SoakResult> {
  const { seed, device = 'software', rounds, until = Number.POSITIVE_INFINITY, samples, onSample } = options
  const { round, end } = await work.begin(new Random(seed), device)
  const memory: Memory[] = []
  const every = Math.max(1, Math.floor(rounds / samples))
  let done = 0
  let sampled = performance.now()
  const span = (until - sampled) / samples
  try {
    while (done < rounds && performance.now() < until) {
      await round()
      done++
      if (done % every !== 0 && performance.now() - sampled < span) continue
      sampled = performance.now()
      memory.push(await memoryNow())
      onSample?.(done, memory[memory.length - 1])
    }
  } finally {
    end?.()
  }
  return { rounds: done, memory }
}

/**
 * Bytes by which the memory grew from the middle of a soak to its end: the beginning fills caches and compiles.
 * Medians, as one look may fall on work that is not over.
 */
export function growth({ memory }: SoakResult, of: keyof Memory): number {
  const values = memory.map((one) => one[of])
  const middle = values.slice(Math.floor(values.length / 3), Math.ceil((2 * values.length) / 3))
  const last = values.slice(Math.floor((2 * values.length) / 3))
  return median(last) - median(middle)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
