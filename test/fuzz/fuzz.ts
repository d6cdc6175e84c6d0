import { Random } from '../../tools/tiny/random.js'
import { mutate, truncations } from './mutate.js'
import { isOneOf, type Reader } from './reader.js'

/** No input of a few kB may take longer. */
export const MAX_MILLISECONDS = 2000

/** What a reader did with many inputs. */
export interface FuzzCounts {
  /** Inputs in all, and those of them that were read without an error. */
  inputs: number
  read: number
  /** Milliseconds of the slowest input, and the input. */
  slowest: number
  slowestInput: Uint8Array
}

/** A reader failed with an error that is not its own, or took too long. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure'
  constructor(
    readonly reader: string,
    readonly input: Uint8Array,
    problem: string,
    options?: ErrorOptions,
  ) {
    const shown = JSON.stringify(Buffer.from(input).toString('latin1').slice(0, 300))
    super(
      `${reader}: ${problem} at ${input.byteLength} bytes in base64 ${Buffer.from(input).toString('base64').slice(0, 4000)}, as text ${shown}`,
      options,
    )
  }
}

/**
 * Gives a reader all beginnings of its inputs, then changed inputs without an end.
 *
 * @param seed the same seed gives the same inputs
 */
export function* inputsFor(reader: Reader, seed: number): Generator<Uint8Array> {
  yield* truncations(reader.inputs)
  const random = new Random(seed)
  for (;;) yield mutate(reader.inputs, reader.words, random)
}

/** Gives a reader one input, and counts it. @throws FuzzFailure */
export async function tryInput(reader: Reader, input: Uint8Array, counts: FuzzCounts): Promise<void> {
  const begun = performance.now()
  const worked = process.cpuUsage()
  counts.inputs++
  try {
    await reader.run(input)
    counts.read++
  } catch (error) {
    if (!isOneOf(error, reader.allowed)) {
      throw new FuzzFailure(reader.name, input, `an error that is not its own (${(error as Error)?.stack})`, {
        cause: error,
      })
    }
  }
  const passed = performance.now() - begun
  // Another program may have had the processor meanwhile.
  const milliseconds = passed < 20 ? passed : Math.min(passed, millisecondsOf(process.cpuUsage(worked)))
  if (milliseconds > counts.slowest) {
    counts.slowest = milliseconds
    counts.slowestInput = input
  }
  if (milliseconds > MAX_MILLISECONDS)
    throw new FuzzFailure(reader.name, input, `${Math.round(milliseconds)} ms`)
}

export function millisecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000
}

export function noCounts(): FuzzCounts {
  return { inputs: 0, read: 0, slowest: 0, slowestInput: new Uint8Array(0) }
}
