import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { LocalModel } from '../common/internals.js'
import { randomSource } from '../common/random.js'
import type { ArrivalTimes, ClientJob, ClientResult, StreamTimes } from './protocol.js'

const FIRST_HAN = 0x4e00
const HAN = 5000

/** Texts of Chinese characters at random, none like another from its beginning on. */
export class Prompts {
  readonly #model: LocalModel
  readonly #random = randomSource(5)

  constructor(model: LocalModel) {
    this.#model = model
  }

  /** So many texts whose prompts have about so many tokens, and not fewer. */
  make(count: number, tokens: number): string[] {
    return Array.from({ length: count }, () => this.#text(tokens))
  }

  #text(tokens: number): string {
    const { tokenizer } = this.#model
    let text = ''
    let length = 0
    while (length < tokens) {
      const character = String.fromCodePoint(FIRST_HAN + Math.floor(this.#random() * HAN))
      text += character
      length += tokenizer.encode(`\n${character}`).length - tokenizer.encode('\n').length
    }
    return text
  }
}

/** The process of the clients. */
export class Clients {
  readonly #process: ChildProcess

  /** @param program what is started with the argument `clients` */
  constructor(program: string) {
    this.#process = fork(program, ['clients'])
  }

  async together(url: string, prompts: readonly string[], tokens: number): Promise<readonly StreamTimes[]> {
    const result = await this.#ask({ kind: 'together', url, prompts, tokens })
    if (result.kind !== 'together') throw new TypeError(result.kind)
    return result.answers
  }

  async arrival(
    url: string,
    prompts: readonly string[],
    tokens: number,
    arriving: readonly string[],
  ): Promise<ArrivalTimes> {
    const result = await this.#ask({ kind: 'arrival', url, prompts, tokens, arriving })
    if (result.kind !== 'arrival') throw new TypeError(result.kind)
    return result
  }

  async #ask(job: ClientJob): Promise<ClientResult> {
    this.#process.send(job)
    const [result] = (await once(this.#process, 'message')) as [ClientResult]
    if (result.kind === 'failed') throw new Error(`A client failed: ${result.message}`)
    return result
  }

  end(): void {
    this.#process.disconnect()
  }
}

/** Tokens a second of answers side by side. */
export interface Throughput {
  /** From the first question to the last token: prompts, too. */
  readonly whole: number
  /** While all answers run. */
  readonly decode: number
}

/** @param answers each the times of its tokens, or of its pieces where `tokens` tells how many tokens these are */
function throughput(
  answers: readonly Pick<StreamTimes, 'asked' | 'first' | 'last' | 'tokens'>[],
): Throughput {
  const total = answers.reduce((sum, { tokens }) => sum + tokens, 0)
  const begin = Math.min(...answers.map(({ asked }) => asked))
  const end = Math.max(...answers.map(({ last }) => last))
  // Answers of the same length that are asked for at once run side by side but for the prompts before them.
  const rates = answers.map(({ first, last, tokens }) => (tokens - 1) / (last - first))
  const decode = rates.reduce((sum, rate) => sum + rate, 0)
  return { whole: (1000 * total) / (end - begin), decode: 1000 * decode }
}

/** The same answers by the library. */
export async function libraryTogether(
  model: LocalModel,
  prompts: readonly string[],
  tokens: number,
): Promise<Throughput> {
  const asked = performance.now()
  const times = prompts.map(() => ({ asked, first: 0, last: 0, tokens: 0 }))
  const messages = prompts.map((content) => [{ role: 'user' as const, content }])
  for await (const { index } of model.generateBatch(messages, { maxTokens: tokens, stopIds: [] })) {
    const one = times[index]
    one.last = performance.now()
    if (one.tokens++ === 0) one.first = one.last
  }
  const short = times.find((one) => one.tokens !== tokens)
  if (short) throw new Error(`An answer of the library has ${short.tokens} tokens instead of ${tokens}.`)
  return throughput(times)
}

export async function serverTogether(
  clients: Clients,
  url: string,
  prompts: readonly string[],
  tokens: number,
): Promise<Throughput> {
  return throughput(await clients.together(url, prompts, tokens))
}
