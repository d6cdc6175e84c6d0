import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ServedModel } from './served-model.js'
import type { Work } from './work.js'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const TOKEN_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1]

/**
 * What Prometheus reads. Names are those of llama-server and vLLM, so that dashboards made for them show this server.
 * Times and tokens of a request are counted when it ends.
 */
export class ServerMetrics {
  readonly registry = new Registry()
  readonly #counters = new Map<string, Counter<string>>()
  readonly #histograms = new Map<string, Histogram>()
  readonly #requests: Counter<'route' | 'status'>
  readonly #finished: Counter<'finished_reason'>
  /** Mean seconds of the last requests. */
  #meanSeconds = 1

  constructor(model: ServedModel, name: string) {
    const registers = [this.registry]
    this.registry.setDefaultLabels({ model_name: name })
    collectDefaultMetrics({ register: this.registry })
    const gauge = (names: readonly string[], help: string, read: () => number) => {
      for (const one of names) {
        new Gauge({
          name: one,
          help,
          registers,
          collect: function collect() {
            this.set(read())
          },
        })
      }
    }
    gauge(
      ['llamacpp:requests_processing', 'vllm:num_requests_running'],
      'Sequences that have a place.',
      () => model.load.running,
    )
    gauge(
      ['llamacpp:requests_deferred', 'vllm:num_requests_waiting'],
      'Sequences that wait for one.',
      () => model.load.waiting,
    )
    this.#addCounters({
      'llamacpp:prompt_tokens_total': 'Tokens of prompts that were computed.',
      'llamacpp:prompt_seconds_total': 'Seconds from requests to the first piece of their answers.',
      'llamacpp:tokens_predicted_total': 'Tokens of answers.',
      'llamacpp:tokens_predicted_seconds_total': 'Seconds from the first piece of answers to the last.',
      'vllm:prompt_tokens_total': 'Tokens of prompts.',
      'vllm:generation_tokens_total': 'Tokens of answers.',
      'vllm:prefix_cache_queries_total': 'Tokens of prompts that were looked for in the cache.',
      'vllm:prefix_cache_hits_total': 'Tokens of prompts that were found in the cache.',
    })
    this.#addHistogram(
      'vllm:time_to_first_token_seconds',
      'From a request to the first piece of its answer.',
      SECONDS,
    )
    this.#addHistogram(
      'vllm:e2e_request_latency_seconds',
      'From a request to the end of its answer.',
      SECONDS,
    )
    this.#addHistogram(
      'vllm:time_per_output_token_seconds',
      'Mean time between two tokens of a request.',
      TOKEN_SECONDS,
    )
    this.#finished = new Counter({
      name: 'vllm:request_success_total',
      help: 'Answers, by why they ended.',
      labelNames: ['finished_reason'],
      registers,
    })
    this.#requests = new Counter({
      name: 'chatglm:http_requests_total',
      help: 'Requests, by route and status.',
      labelNames: ['route', 'status'],
      registers,
    })
  }

  /** Seconds after which there may be a place again for whoever was refused. */
  get retryAfter(): number {
    return Math.min(60, Math.max(1, Math.ceil(this.#meanSeconds)))
  }

  /** Counts a request that has ended. */
  observe(work: Work, route: string, status: number): void {
    this.#requests.inc({ route, status: String(status) })
    if (work.finishReasons.length === 0) return
    const { promptTokens, cachedTokens, completionTokens, firstPieceMilliseconds = 0 } = work
    const seconds = work.milliseconds / 1000
    const firstSeconds = firstPieceMilliseconds / 1000
    const answerSeconds = work.answerMilliseconds / 1000
    this.#meanSeconds += (seconds - this.#meanSeconds) / 8
    this.#add('llamacpp:prompt_tokens_total', promptTokens - cachedTokens)
    this.#add('llamacpp:prompt_seconds_total', firstSeconds)
    this.#add('llamacpp:tokens_predicted_total', completionTokens)
    this.#add('llamacpp:tokens_predicted_seconds_total', answerSeconds)
    this.#add('vllm:prompt_tokens_total', promptTokens)
    this.#add('vllm:generation_tokens_total', completionTokens)
    this.#add('vllm:prefix_cache_queries_total', promptTokens)
    this.#add('vllm:prefix_cache_hits_total', cachedTokens)
    this.#histograms.get('vllm:time_to_first_token_seconds')?.observe(firstSeconds)
    this.#histograms.get('vllm:e2e_request_latency_seconds')?.observe(seconds)
    const gaps = completionTokens / work.finishReasons.length - 1
    if (gaps > 0) this.#histograms.get('vllm:time_per_output_token_seconds')?.observe(answerSeconds / gaps)
    for (const reason of work.finishReasons) this.#finished.inc({ finished_reason: reason })
  }

  #addCounters(help: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(help)) {
      this.#counters.set(name, new Counter({ name, help: text, registers: [this.registry] }))
    }
  }

  #addHistogram(name: string, help: string, buckets: number[]): void {
    this.#histograms.set(name, new Histogram({ name, help, buckets, registers: [this.registry] }))
  }

  #add(name: string, amount: number): void {
    this.#counters.get(name)?.inc(amount)
  }
}
