/**
 * Does what a program does for months, and prints its memory over time: `npm run soak -- --minutes 60`. Garbage is collected
 * before each look, so that what is left is kept by somebody.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { growth, type Memory, soak } from './soak.js'
import { type Device, WORKS } from './works.js'

/** What a third of a soak may add to the heap, and to the process, whose allocators keep some for later. */
const SLACK = { heap: 2 * 2 ** 20, process: 48 * 2 ** 20 }
const MOST_ROUNDS = 10_000_000

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

interface Options {
  readonly minutes: number
  readonly rounds: number
  readonly work?: string
  readonly seed: number
  readonly device: Device
}

await new Command('soak')
  .description('Does the same things again and again, and prints the memory that they leave.')
  .option('--minutes <number>', 'how long all works together are done', positive, 10)
  .option('--rounds <number>', 'at most so many rounds of each', positive, MOST_ROUNDS)
  .addOption(new Option('--work <name>', 'one alone').choices(WORKS.map(({ name }) => name)))
  .option('--seed <number>', 'the same seed gives the same faults and aborts', Number, 1)
  .addOption(new Option('--device <name>', 'what computes').choices(['auto', 'software']).default('software'))
  .action(async ({ minutes, rounds, work: only, seed, device }: Options) => {
    const works = WORKS.filter(({ name }) => only === undefined || name === only)
    for (const work of works) {
      const until = performance.now() + (minutes * 60_000) / works.length
      console.log(`${work.name}, seed ${seed}`)
      const onSample = (round: number, { heap, process: all }: Memory) =>
        console.log(
          `  ${String(round).padStart(8)} rounds   heap ${megabytes(heap).padStart(9)}   process ${megabytes(all).padStart(9)}`,
        )
      const result = await soak(work, { seed, device, rounds, until, samples: 12, onSample })
      const grown = { heap: growth(result, 'heap'), process: growth(result, 'process') }
      const flat = grown.heap < SLACK.heap && grown.process < SLACK.process
      console.log(
        `  ${result.rounds} rounds; since the middle the heap grew by ${megabytes(grown.heap)}, ` +
          `the process by ${megabytes(grown.process)}: ${flat ? 'flat' : 'NOT FLAT'}`,
      )
      if (!flat) process.exitCode = 1
    }
    // Node's WebGPU keeps the process alive.
    process.exit()
  })
  .parseAsync()
