import { type ByteSource, type Checkpoint, streamRange } from '../../../checkpoint/index.js'
import { AdapterError, type DeviceError } from '../../../errors/index.js'
import type { AdapterInfo } from '../../../gpu/index.js'
import type { AdapterHandle } from '../../model/index.js'
import type { ModelDevice } from '../model-device.js'
import { PREFIX_ROWS } from '../webgpu/engine-options.js'
import { OnnxEngine, type OnnxEngineOptions } from './engine.js'
import { GraphRunner } from './graph-runner.js'
import type { OnnxModelFiles } from './model-files.js'
import { cacheNames, PastMaker } from './past.js'
import { loadHostPrefix } from './prefix.js'
import type { LoadedRuntime, OnnxProvider } from './runtime.js'

/** What WebAssembly can address, less what the runtime and its activations take. */
const MOST_WASM_BYTES = 3.5 * 2 ** 30
/** A file is read into one piece of memory, and places in it are numbers of 32 bits. */
const MOST_FILE_BYTES = 2 ** 32 - 1

const PROVIDERS: Readonly<Record<OnnxProvider, string>> = {
  webgpu: 'WebGPU',
  wasm: 'WebAssembly (slow)',
  cpu: 'CPU',
}

/** How a model is loaded into ONNX Runtime. */
export interface OnnxLoading {
  readonly signal?: AbortSignal | undefined
  readonly onProgress: (doneBytes: number, totalBytes: number) => void
}

/** Where ONNX Runtime computes. */
export class OnnxDevice implements ModelDevice {
  readonly adapter: AdapterInfo
  readonly lost: Promise<DeviceError> = new Promise(() => {})
  readonly variants = {}
  readonly base = undefined
  readonly engine: OnnxEngine
  readonly #files: OnnxModelFiles
  readonly #runner: GraphRunner

  private constructor(
    files: OnnxModelFiles,
    runner: GraphRunner,
    engine: OnnxEngine,
    provider: OnnxProvider,
  ) {
    this.#files = files
    this.#runner = runner
    this.engine = engine
    const description = `ONNX Runtime, ${PROVIDERS[provider]}`
    this.adapter = { vendor: '', architecture: '', device: '', description }
  }

  /**
   * Reads the tensors of a model and makes a session of them.
   * @throws `adapter.limit` where WebAssembly cannot hold them, before anything is read; what the source throws
   */
  static async create(
    { runtime, provider }: LoadedRuntime,
    files: OnnxModelFiles,
    options: Omit<OnnxEngineOptions, 'weightBytes'>,
    { signal, onProgress }: OnnxLoading,
  ): Promise<OnnxDevice> {
    const { source, bytes, config, element, data } = files
    const weightBytes = [...data.values()].reduce((sum, size) => sum + size, 0)
    checkSize(source, data, weightBytes, provider)
    const externalData: { path: string; data: Uint8Array }[] = []
    let doneBytes = 0
    for (const [path, size] of data) {
      const whole = new Uint8Array(size)
      let at = 0
      for await (const chunk of streamRange(source, path, 0, size, undefined, signal)) {
        whole.set(chunk, at)
        at += chunk.byteLength
        doneBytes += chunk.byteLength
        onProgress(doneBytes, weightBytes)
      }
      externalData.push({ path, data: whole })
    }
    const locations = cacheNames(config.layers).map(({ present }) => [present, 'gpu-buffer'] as const)
    const session = await runtime.InferenceSession.create(bytes, {
      executionProviders: [provider],
      externalData,
      logSeverityLevel: 3,
      ...(provider === 'webgpu' && { preferredOutputLocation: Object.fromEntries(locations) }),
    })
    const runner = new GraphRunner(runtime, session, files)
    const maker = new PastMaker(runtime, config, element)
    const engine = new OnnxEngine(files, runner, maker, { ...options, weightBytes })
    return new OnnxDevice(files, runner, engine, provider)
  }

  async loadAdapter(checkpoint: Checkpoint, signal?: AbortSignal): Promise<AdapterHandle> {
    const { config, rotation } = this.#files
    const rows = rotation ? rotation.rows - 2 : Number.POSITIVE_INFINITY
    const mostRows = Math.min(rows, this.engine.contextLength + PREFIX_ROWS - 2)
    const prefix = await loadHostPrefix(checkpoint, config, rotation, mostRows, signal)
    this.engine.adopt(prefix)
    return prefix
  }

  async freeAdapter(): Promise<void> {
    // Its rows are ordinary memory.
  }

  dispose(): void {
    this.engine.forget()
    this.#runner.dispose()
  }
}

const gigabytes = (size: number) => `${(size / 1e9).toFixed(1)} GB`

function checkSize(
  source: ByteSource,
  data: ReadonlyMap<string, number>,
  bytes: number,
  provider: OnnxProvider,
): void {
  const tooLarge = [...data].find(([, size]) => size > MOST_FILE_BYTES)
  if (tooLarge) {
    throw new AdapterError(
      'adapter.limit',
      `${tooLarge[0]} in ${source.name} has ${gigabytes(tooLarge[1])}; files of tensors are read up to 4 GB. ` +
        "Export the checkpoint with 'chatglm convert --to onnx', which divides them.",
      { details: { limit: 'file size', offered: MOST_FILE_BYTES, needed: tooLarge[1] } },
    )
  }
  if (provider === 'wasm') checkWasmSize(source.name, bytes)
}

/** @throws `adapter.limit` where WebAssembly cannot hold so many bytes of weights */
export function checkWasmSize(name: string, bytes: number): void {
  if (bytes > MOST_WASM_BYTES) {
    throw new AdapterError(
      'adapter.limit',
      `${name} has ${gigabytes(bytes)} of weights, and WebAssembly can address 4 GB in all. Use WebGPU, fewer bits, or in Node the package onnxruntime-node.`,
      { details: { limit: 'WebAssembly memory', offered: MOST_WASM_BYTES, needed: bytes } },
    )
  }
}
