/** Clients that stream answers of a server: a process of their own, as clients are. */
import type { ArrivalJob, ArrivalTimes, ClientJob, ClientResult, StreamTimes } from './protocol.js'

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string }
    readonly finish_reason?: string | null
  }[]
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
  readonly error?: { readonly message: string }
}

/** Why a stream was left before its end. */
const ENOUGH = 'enough'

/** Reads one answer as it comes. */
class AnswerReader {
  readonly #asked = performance.now()
  #first = 0
  #last = 0
  #pieces = 0
  #promptTokens = 0
  #tokens = 0
  #reason: string | null = null
  #ended = false

  get pieces(): number {
    return this.#pieces
  }

  async read(url: string, content: string, tokens: number, signal?: AbortSignal): Promise<StreamTimes> {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        messages: [{ role: 'user', content }],
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: tokens,
        ignore_eos: true,
      }),
      ...(signal && { signal }),
    })
    if (!response.ok || !response.body) throw new Error(`status ${response.status}: ${await response.text()}`)
    let rest = ''
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + text).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) this.#take(event)
    }
    return this.#times(tokens)
  }

  #take(event: string): void {
    if (!event.startsWith('data: ')) return
    const data = event.slice('data: '.length)
    if (data === '[DONE]') {
      this.#ended = true
      return
    }
    const { choices, usage, error } = JSON.parse(data) as Chunk
    if (error) throw new Error(error.message)
    for (const { delta, finish_reason } of choices) {
      this.#reason = finish_reason ?? this.#reason
      if (!delta.content) continue
      this.#last = performance.now()
      if (this.#pieces++ === 0) this.#first = this.#last
    }
    if (!usage) return
    this.#promptTokens = usage.prompt_tokens
    this.#tokens = usage.completion_tokens
  }

  /** @throws Error where the answer is not what was asked for */
  #times(wanted: number): StreamTimes {
    if (!this.#ended || this.#reason !== 'length' || this.#tokens !== wanted || this.#pieces === 0) {
      throw new Error(`an answer of ${this.#tokens} tokens instead of ${wanted} ended with ${this.#reason}`)
    }
    return {
      asked: this.#asked,
      first: this.#first,
      last: this.#last,
      promptTokens: this.#promptTokens,
      tokens: this.#tokens,
      pieces: this.#pieces,
    }
  }
}

async function arrive({ url, prompts, tokens, arriving }: ArrivalJob): Promise<ArrivalTimes> {
  const controller = new AbortController()
  const readers = prompts.map(() => new AnswerReader())
  const reading = readers.map((reader, i) =>
    reader.read(url, prompts[i], tokens, controller.signal).then(
      () => {
        throw new Error('An answer that was to be under way has ended: give it more tokens.')
      },
      (error: unknown) => {
        if (controller.signal.reason !== ENOUGH) throw error
      },
    ),
  )
  const all = Promise.all(reading)
  const measure = async () => {
    while (readers.some(({ pieces }) => pieces < 4)) await new Promise((resolve) => setTimeout(resolve, 2))
    const answers: StreamTimes[] = []
    for (const content of arriving) answers.push(await new AnswerReader().read(url, content, 4))
    return answers
  }
  const answers = await Promise.race([measure(), all.then(() => [])])
  controller.abort(ENOUGH)
  await all
  return {
    firstMs: answers.map(({ asked, first }) => first - asked),
    promptTokens: answers[0].promptTokens,
    underWay: prompts.length,
  }
}

async function run(job: ClientJob): Promise<ClientResult> {
  if (job.kind === 'arrival') return { kind: 'arrival', ...(await arrive(job)) }
  const { url, prompts, tokens } = job
  const answers = await Promise.all(prompts.map((content) => new AnswerReader().read(url, content, tokens)))
  return { kind: 'together', answers }
}

/** Does what the process that started this one asks for, until it is gone. */
export function serveJobs(): void {
  process.on('message', (job: ClientJob) => {
    run(job).then(
      (result) => process.send?.(result),
      (error: unknown) => process.send?.({ kind: 'failed', message: String(error) } satisfies ClientResult),
    )
  })
  process.on('disconnect', () => process.exit())
}
