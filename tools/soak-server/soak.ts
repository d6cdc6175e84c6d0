import { createServer, type RequestRecord, type ServedModel } from '../../src/server/index.js'
import type { KnownAnswer, SoakPlan, SoakResult } from './plan.js'
import { PREFIX_QUESTION, QUESTIONS } from './plan.js'

/** What the process of the server takes, in bytes, at some second. */
export interface MemorySample {
  readonly second: number
  readonly rss: number
  readonly heap: number
  readonly requests: number
}

export interface SoakOptions {
  readonly clients: number
  readonly milliseconds: number
  readonly seed: number
  readonly prefixSource: string
  /** Between two looks at the memory. */
  readonly sampleEvery: number
  /** Runs the clients, here or in another process. */
  readonly runClients: (plan: SoakPlan) => Promise<SoakResult>
  readonly onSample?: (sample: MemorySample) => void
}

export interface SoakReport extends SoakResult {
  readonly samples: readonly MemorySample[]
  /** Requests by the status that the server answered with. */
  readonly statuses: Readonly<Record<string, number>>
}

const PREFIX = 'poem'

/** The answers of the library to the questions that clients ask. */
async function knownAnswers(model: ServedModel, prefixSource: string): Promise<KnownAnswer[]> {
  const known: KnownAnswer[] = []
  type Question = (typeof QUESTIONS)[number]
  const ask = async (question: Question, options: object, more: object) => {
    const messages = question.messages as Parameters<ServedModel['chat']>[0]
    const all = { temperature: 0, maxTokens: question.max_tokens, ...options }
    const { messages: said } = await model.chat(messages, all).result()
    known.push({ body: { ...question, ...more }, content: said.map(({ content }) => content).join('\n') })
  }
  for (const question of QUESTIONS) await ask(question, {}, {})
  const adapter = await model.loadAdapter(prefixSource)
  await ask(PREFIX_QUESTION, { adapter }, { model: PREFIX })
  await model.unloadAdapter(adapter)
  return known
}

/**
 * Lets many clients ask a server at random for a time: rightly, wrongly, slowly, and going away. Nobody is served when it
 * returns, and the server is closed.
 * @throws Error where something is under way still, or a request has no end
 */
export async function soakServer(model: ServedModel, options: SoakOptions): Promise<SoakReport> {
  const { clients, milliseconds, seed, prefixSource, sampleEvery, runClients, onSample } = options
  const known = await knownAnswers(model, prefixSource)
  const statuses: Record<string, number> = {}
  let requests = 0
  const onRequest = ({ status }: RequestRecord) => {
    requests++
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  const timeouts = { headers: 5000, request: 10_000, stall: 20_000, ping: 500 }
  const server = await createServer(model, { onRequest, timeouts, bodyLimit: 100_000 })
  await server.addPrefix(PREFIX, prefixSource)
  const url = await server.listen({ port: 0 })
  const started = performance.now()
  const samples: MemorySample[] = []
  const sample = () => {
    globalThis.gc?.()
    const { rss, heapUsed: heap } = process.memoryUsage()
    samples.push({ second: Math.round((performance.now() - started) / 1000), rss, heap, requests })
    onSample?.(samples[samples.length - 1])
  }
  const sampling = setInterval(sample, sampleEvery)
  try {
    const result = await runClients({ url, clients, milliseconds, seed, known, prefix: PREFIX })
    await untilIdle(() => server.running + model.load.running + model.load.waiting)
    sample()
    return { ...result, samples, statuses }
  } finally {
    clearInterval(sampling)
    await server.close({ grace: 0 })
  }
}

/** @throws Error where something is under way after a while still */
async function untilIdle(underWay: () => number): Promise<void> {
  const end = performance.now() + 20_000
  while (underWay() > 0) {
    if (performance.now() > end) throw new Error(`${underWay()} requests and sequences are under way still.`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Bytes that the median of the last third of some samples is above that of the third before: what warm-up took is left out. */
export function growthOf(samples: readonly MemorySample[], of: 'rss' | 'heap'): number {
  const third = Math.floor(samples.length / 3)
  const median = (part: readonly MemorySample[]) =>
    part.map((sample) => sample[of]).toSorted((a, b) => a - b)[part.length >> 1] ?? 0
  return median(samples.slice(2 * third)) - median(samples.slice(third, 2 * third))
}
