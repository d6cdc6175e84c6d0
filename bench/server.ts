/**
 * The server beside the library that it is made of, by the wall clock: many clients that stream beside `generateBatch`, one client beside `chat`, and
 * the first token of a prompt that arrives beside answers under way. Clients are another process. Random weights in a
 * model's shape, or a real model's folder.
 *
 *   node build/bench-server.js --shape chatglm3-6b --json results/server.json
 *   node build/bench-server.js --quick
 */
import { fileURLToPath } from 'node:url'
import { program } from 'commander'
import { createServer } from '../src/server.js'
import { describeEnvironment, environmentLines } from './common/environment.js'
import { writeJson } from './common/files.js'
import { openGpu } from './common/internals.js'
import { type CommonOptions, commonOptions, count } from './common/options.js'
import { type Summary, summarize } from './common/statistics.js'
import { serveJobs } from './server/clients.js'
import { Clients, libraryTogether, Prompts, serverTogether, type Throughput } from './server/measure.js'
import { openServed } from './server/open.js'

interface Plan {
  readonly clients: number
  readonly prompt: number
  readonly tokens: number
  readonly aloneTokens: number
  readonly answers: number
  readonly arrival: number
  readonly arrivals: number
  readonly repetitions: number
}

interface Options extends CommonOptions, Plan {
  readonly model?: string
  readonly shape?: string
  readonly context: number
}

const QUICK: Plan = {
  clients: 6,
  prompt: 12,
  tokens: 8,
  aloneTokens: 12,
  answers: 3,
  arrival: 40,
  arrivals: 2,
  repetitions: 1,
}

/** Medians of the server and of the library, measured by turns. */
interface Comparison {
  readonly sequences: number
  readonly server: Summary
  readonly library: Summary
  readonly share: number
}

function compare(sequences: number, server: readonly number[], library: readonly number[]): Comparison {
  const [ofServer, ofLibrary] = [summarize(server), summarize(library)]
  return { sequences, server: ofServer, library: ofLibrary, share: ofServer.median / ofLibrary.median }
}

function comparisonLine(what: string, { server, library, share }: Comparison): string {
  const range = ({ median, low, high }: Summary) =>
    `${median.toFixed(1)} tokens/s (${low.toFixed(1)} to ${high.toFixed(1)})`
  return `${what}: server ${range(server)}, library ${range(library)}: ${(100 * share).toFixed(1)} %`
}

async function main(options: Options): Promise<void> {
  const { quick, device, without, commit } = options
  const plan: Plan = quick ? QUICK : options
  const gpu = await openGpu(device, { without })
  const model = await openServed(gpu, {
    ...(options.model && { folder: options.model }),
    shape: options.shape ?? (quick ? 'tiny' : 'chatglm3-6b'),
    contextLength: quick ? 128 : options.context,
    maxSequences: plan.clients,
  })
  const environment = describeEnvironment(gpu, commit)
  console.log(environmentLines(environment).join('\n'))
  const server = await createServer(model)
  const url = await server.listen({ port: 0 })
  const clients = new Clients(fileURLToPath(import.meta.url))
  const prompts = new Prompts(model)

  const byTurns = async (sequences: number, tokens: number, repetitions: number) => {
    const ofServer: Throughput[] = []
    const ofLibrary: Throughput[] = []
    // The first turn compiles, and warms the clocks up.
    for (let turn = 0; turn <= repetitions; turn++) {
      const library = await libraryTogether(model, prompts.make(sequences, plan.prompt), tokens)
      const served = await serverTogether(clients, url, prompts.make(sequences, plan.prompt), tokens)
      if (turn === 0) continue
      ofLibrary.push(library)
      ofServer.push(served)
    }
    const of = (kind: keyof Throughput) =>
      compare(
        sequences,
        ofServer.map((one) => one[kind]),
        ofLibrary.map((one) => one[kind]),
      )
    return { whole: of('whole'), decode: of('decode') }
  }

  try {
    const together = await byTurns(plan.clients, plan.tokens, plan.repetitions)
    const streaming = `${plan.clients} clients that stream ${plan.tokens} tokens behind ${plan.prompt}`
    console.log(comparisonLine(`${streaming}, prompts included`, together.whole))
    console.log(comparisonLine('the same, answers alone', together.decode))

    const alone = await byTurns(1, plan.aloneTokens, plan.repetitions)
    console.log(comparisonLine(`one client, ${plan.aloneTokens} tokens`, alone.decode))

    const room = (quick ? 128 : options.context) - plan.prompt - 32
    const arrival = await clients.arrival(
      url,
      prompts.make(plan.answers, plan.prompt),
      room,
      prompts.make(plan.arrivals, plan.arrival),
    )
    const first = summarize(arrival.firstMs)
    console.log(
      `first token of a prompt of ${arrival.promptTokens} beside ${arrival.underWay} answers: ${first.median.toFixed(0)} ms at the ` +
        `median of ${first.repetitions} (${first.low.toFixed(0)} to ${first.high.toFixed(0)})`,
    )
    if (options.json)
      await writeJson(options.json, { environment, plan, together, alone, arrival: { ...arrival, first } })
  } finally {
    clients.end()
    await server.close({ grace: 0 })
    model.dispose()
  }
}

if (process.argv[2] === 'clients') serveJobs()
else {
  for (const option of commonOptions) program.addOption(option)
  program
    .option('--model <folder>', 'a real model instead of random weights')
    .option('--shape <name>', 'shape of the random weights')
    .option('--context <tokens>', 'positions of an answer with its prompt', count, 4096)
    .option('--clients <count>', 'that stream at the same time', count, 64)
    .option('--prompt <tokens>', 'of each client', count, 128)
    .option('--tokens <count>', 'of each answer', count, 128)
    .option('--alone-tokens <count>', 'of the answer to one client alone', count, 256)
    .option('--answers <count>', 'under way while another prompt arrives', count, 32)
    .option('--arrival <tokens>', 'of the prompt that arrives', count, 512)
    .option('--arrivals <count>', 'of such prompts, one after the other', count, 11)
    .option('--repetitions <count>', 'of each measurement', count, 3)
  await main(program.parse().opts<Options>())
}
