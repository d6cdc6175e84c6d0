/**
 * Many clients at a server with the small model, which ask at random: rightly, wrongly, slowly, and going away. At the end
 * every answer was right, nothing is under way, every page of the cache is free, and the memory has not grown.
 *
 *   npm run soak:server -- --minutes 20
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { program } from 'commander'
import { adapterName, loadModel } from '../src/index.js'
import { runClients } from './soak-server/clients.js'
import type { SoakPlan, SoakResult } from './soak-server/plan.js'
import { growthOf, type MemorySample, soakServer } from './soak-server/soak.js'

interface Options {
  readonly minutes: string
  readonly clients: string
  readonly model: string
  readonly prefix: string
  readonly sequences: string
  readonly seed: string
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
/** What a process may take more in the last third of a soak than in the third before. */
const MOST_GROWTH = 16e6

/** Clients in a process of their own: what they take is not what the server takes. */
async function inAnotherProcess(plan: SoakPlan): Promise<SoakResult> {
  const child = fork(fileURLToPath(import.meta.url), ['clients'])
  child.send(plan)
  const [result] = (await once(child, 'message')) as [SoakResult]
  child.disconnect()
  return result
}

function sampleLine({ second, rss, heap, requests }: MemorySample): string {
  return `${String(second).padStart(5)} s  ${megabytes(rss).padStart(9)} in all  ${megabytes(heap).padStart(8)} of objects  ${requests} requests`
}

async function main(options: Options): Promise<void> {
  const [minutes, clients, maxSequences, seed] = [
    options.minutes,
    options.clients,
    options.sequences,
    options.seed,
  ].map(Number)
  // Memory is looked at behind a collection, or it would be the collector's choice.
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction
  const model = await loadModel(options.model, {
    contextLength: 256,
    maxSequences,
    // So that some are refused, now and then.
    maxWaiting: Math.ceil((3 * clients) / 4),
    cacheTokens: maxSequences * 192,
  })
  console.log(`${clients} clients for ${minutes} minutes, seed ${seed}; ${adapterName(model.adapter)}`)
  const milliseconds = minutes * 60_000
  const report = await soakServer(model, {
    clients,
    milliseconds,
    seed,
    prefixSource: options.prefix,
    sampleEvery: Math.max(1000, milliseconds / 60),
    runClients: inAnotherProcess,
    onSample: (sample) => console.log(sampleLine(sample)),
  })
  // What ended sequences left for others is forgotten; a page that somebody holds still is not.
  await model.changeWeights(async () => {})
  const held = model.memory.cacheUsed
  model.dispose()
  for (const [name, count] of Object.entries(report.done)) console.log(`${String(count).padStart(6)} ${name}`)
  console.log(`${String(report.refused).padStart(6)} times asked again because too many waited`)
  console.log(`by status: ${JSON.stringify(report.statuses)}`)
  const growth = { objects: growthOf(report.samples, 'heap'), all: growthOf(report.samples, 'rss') }
  console.log(
    `growth, last third over the one before: ${megabytes(growth.objects)} of objects, ${megabytes(growth.all)} in all`,
  )
  console.log(`cache held at the end: ${held} bytes; wrong: ${report.wrong.length}`)
  for (const line of report.wrong) console.log(`  ${line}`)
  if (report.wrong.length > 0 || held > 0 || Math.max(growth.objects, growth.all) > MOST_GROWTH)
    process.exitCode = 1
}

if (process.argv[2] === 'clients') {
  process.once('message', (plan: SoakPlan) => {
    runClients(plan).then((result) => process.send?.(result))
  })
} else {
  program
    .option('--minutes <count>', 'how long clients ask', '20')
    .option('--clients <count>', 'side by side', '64')
    .option('--model <folder>', 'the model', 'models/tiny')
    .option('--prefix <path>', 'a prefix of it', 'models/tiny/prefixes/poem')
    .option('--sequences <count>', 'answers side by side', '16')
    .option('--seed <number>', 'of what clients ask', '1')
  await main(program.parse().opts<Options>())
}
