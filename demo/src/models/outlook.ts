import { estimateMemory, SourceError } from '../../../src/index.js'
import { runOptions } from '../model/run-options.js'
import { withOrigin } from '../storage/offline.js'
import { usage } from '../storage/store.js'
import { endpoints, hubOf } from './downloads.js'

/** What a model will need, known before it is downloaded. */
export interface Outlook {
  /** Of GPU memory, in bytes. */
  readonly needed: number
  /** Whether its largest buffer is within what the GPU offers; undefined where there is no GPU to ask. */
  readonly fits: boolean | undefined
  /** Bytes that the browser still grants, where that is less than the weights take. */
  readonly shortOf: number | undefined
}

/** Where `config.json` of a location is. */
export function configUrl(location: string): URL {
  const hub = hubOf(location)
  const repository = location.replace(/^\w+:/, '').replace(/@.*$/, '')
  if (hub === 'hf') return new URL(`${repository}/resolve/main/config.json`, `${endpoints.value.hf}/`)
  if (hub === 'modelscope') {
    return new URL(`models/${repository}/resolve/master/config.json`, `${endpoints.value.modelscope}/`)
  }
  return new URL('config.json', location.endsWith('/') ? location : `${location}/`)
}

/** @throws `source.failed` where it cannot be had */
function fetchConfig(url: URL): Promise<unknown> {
  return withOrigin(url.origin, async () => {
    const worker = new Worker(new URL('./config-worker.ts', import.meta.url), {
      type: 'module',
      name: 'config',
    })
    const { port1, port2 } = new MessageChannel()
    try {
      worker.postMessage(url.href, [port2])
      const { value, problem } = await new Promise<{ value?: unknown; problem?: string }>((resolve) => {
        port1.onmessage = ({ data }) => resolve(data as { value?: unknown; problem?: string })
        worker.onerror = () => resolve({ problem: 'The worker could not be started.' })
      })
      if (problem === undefined) return value
      throw new SourceError('source.failed', problem)
    } finally {
      port1.close()
      worker.terminate()
    }
  })
}

/**
 * Reads a model's `config.json`, and compares what it will need with the GPU and the disk.
 * @throws `source.failed`, `checkpoint.model-unsupported`, `checkpoint.config-invalid`
 */
export async function lookAt(location: string): Promise<Outlook> {
  const { contextLength, quantizeBits, device } = runOptions.value
  const { weights, total, largestBuffer } = estimateMemory(await fetchConfig(configUrl(location)), {
    ...(contextLength && { contextLength }),
    ...(quantizeBits && { quantization: { bits: quantizeBits } }),
  })
  const powerPreference = device === 'low-power' ? 'low-power' : 'high-performance'
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference })
  const free = usage.value ? usage.value.quota - usage.value.used : Number.POSITIVE_INFINITY
  return {
    needed: total,
    fits: adapter ? largestBuffer <= adapter.limits.maxStorageBufferBindingSize : undefined,
    shortOf: weights > free ? free : undefined,
  }
}
