import type { InferenceSession, Tensor } from 'onnxruntime-web'
import type { ModelConfig } from '../common/internals.js'
import { randomIds } from '../common/random.js'
import type { GraphNumbers } from './onnx-graph.js'

/** Its interface is that of the package for the web. */
type Runtime = typeof import('onnxruntime-web')

/** Ids for the timed runs are drawn once. */
const SEED = 3

/**
 * The package is 290 MB, fetches CUDA while it is installed, and serves this benchmark alone: whoever measures installs it.
 * @throws Error that says how
 */
export async function importRuntime(): Promise<Runtime> {
  const name = 'onnxruntime-node'
  try {
    return (await import(name)) as Runtime
  } catch (cause) {
    throw new Error(`Install it first: npm install --no-save --ignore-scripts ${name}`, { cause })
  }
}

/** ONNX Runtime on its WebGPU provider, with keys and values that stay on the GPU. */
export class OnnxModel {
  readonly #runtime: Runtime
  readonly #session: InferenceSession
  readonly #config: ModelConfig
  readonly #ids: readonly number[]
  /** By the names of the graph's inputs; each has room for the whole context and is written in place. */
  #cache: Record<string, Tensor>

  private constructor(
    runtime: Runtime,
    session: InferenceSession,
    config: ModelConfig,
    cache: Record<string, Tensor>,
  ) {
    this.#runtime = runtime
    this.#session = session
    this.#config = config
    this.#cache = cache
    this.#ids = randomIds(config.maxContextLength, config.vocabulary, SEED)
  }

  /** Loads a graph written by `writeGraph`. */
  static async create(path: string, config: ModelConfig, { activations }: GraphNumbers): Promise<OnnxModel> {
    const runtime = await importRuntime()
    const { layers, kvGroups, headDim, maxContextLength } = config
    const names = Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat()
    const session = await runtime.InferenceSession.create(path, {
      executionProviders: ['webgpu'],
      preferredOutputLocation: {
        next_id: 'cpu',
        ...Object.fromEntries(names.map((name) => [`present.${name}`, 'gpu-buffer' as const])),
      },
    })
    const dims = [1, kvGroups, maxContextLength, headDim]
    const elements = dims.reduce((product, dim) => product * dim)
    const zeros = activations === 'float16' ? new Uint16Array(elements) : new Float32Array(elements)
    const cache = names.map((name) => [`past.${name}`, new runtime.Tensor(activations, zeros, dims)] as const)
    return new OnnxModel(runtime, session, config, Object.fromEntries(cache))
  }

  /**
   * Computes tokens from a position on.
   * @returns the most likely next id
   */
  async #step(ids: readonly number[], position: number): Promise<number> {
    const { Tensor } = this.#runtime
    const int64 = (values: readonly number[]) =>
      new Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, values.length])
    const total = position + ids.length
    const feeds = {
      ids: int64(ids),
      position_ids: int64(ids.map((_, i) => position + i)),
      seqlens_k: new Tensor('int32', Int32Array.of(total - 1), [1]),
      total_length: new Tensor('int32', Int32Array.of(total), []),
      ...this.#cache,
    }
    const results = await this.#session.run(feeds)
    // The caches come back in new buffers, whether or not the old ones are given as outputs; left to the garbage
    // collector, 0.2 GB a step fill the largest GPU.
    const before = Object.entries(this.#cache)
    this.#cache = Object.fromEntries(
      before.map(([name]) => [name, results[name.replace('past', 'present')]] as const),
    )
    for (const [, tensor] of before) tensor.dispose()
    const [id] = (await results.next_id.getData()) as BigInt64Array
    return this.#checked(Number(id))
  }

  #checked(id: number): number {
    if (id >= 0 && id < this.#config.vocabulary) return id
    throw new Error(`ONNX Runtime gave the id ${id}.`)
  }

  /** @returns seconds from the call to the first id */
  async prefill(tokens: number): Promise<number> {
    const started = performance.now()
    await this.#step(this.#ids.slice(0, tokens), 0)
    return (performance.now() - started) / 1000
  }

  /** Decodes behind `context` tokens that were computed before. @returns seconds of a token */
  async decode(context: number, tokens: number): Promise<number> {
    let id = this.#ids[context]
    const started = performance.now()
    for (let i = 0; i < tokens; i++) id = await this.#step([id], context + i)
    return (performance.now() - started) / 1000 / tokens
  }

  async dispose(): Promise<void> {
    for (const tensor of Object.values(this.#cache)) tensor.dispose()
    await this.#session.release()
  }
}
