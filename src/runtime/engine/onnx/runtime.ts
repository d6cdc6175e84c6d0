import { messageOf } from '../../../checkpoint/index.js'
import { AdapterError } from '../../../errors/index.js'
import { isNode } from '../../../platform/index.js'

/** A tensor of ONNX Runtime. */
export interface OnnxTensorValue {
  readonly dims: readonly number[]
  /** The elements, where they are on the host. */
  readonly data: unknown
  getData(): Promise<unknown>
  dispose(): void
}

export type OnnxValues = Record<string, OnnxTensorValue>

/** A model that ONNX Runtime has loaded. */
export interface OnnxSession {
  run(feeds: OnnxValues, fetches: readonly string[]): Promise<OnnxValues>
  release(): Promise<void>
}

/** The part of `onnxruntime-web` and `onnxruntime-node` that is used; their modules are such. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: OnnxSessionOptions): Promise<OnnxSession>
  }
  readonly Tensor: new (
    type: 'float16' | 'float32' | 'int64',
    data: Uint16Array | Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => OnnxTensorValue
}

export interface OnnxSessionOptions {
  readonly executionProviders: readonly string[]
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[]
  /** Where each output is left: on the host unless told otherwise. */
  readonly preferredOutputLocation?: Readonly<Record<string, 'cpu' | 'gpu-buffer'>>
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4
}

/**
 * Where ONNX Runtime comes from: a function, as `() => import('onnxruntime-web/webgpu')`; or, which can be given to a worker, the
 * address of its module, or with a `/` at its end of the folder `onnxruntime-web/dist`, of which the smallest build that does is loaded.
 */
export type OnnxRuntimeLoader = string | (() => Promise<OnnxRuntime>)

/** On what a session computes. */
export type OnnxProvider = 'webgpu' | 'wasm' | 'cpu'

/** ONNX Runtime, and the best of what it computes on. */
export interface LoadedRuntime {
  readonly runtime: OnnxRuntime
  readonly provider: OnnxProvider
}

/** A variable to bundlers: the address is that of a file as it is. */
const load = (address: string): Promise<OnnxRuntime> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ address)

/** The build of `onnxruntime-web` for what is needed. Those for WebGPU are larger; JSPI makes one smaller, where a browser has it. */
function buildFor(provider: OnnxProvider): string {
  if (provider === 'wasm') return 'ort.wasm.bundle.min.mjs'
  return 'Suspending' in WebAssembly ? 'ort.jspi.bundle.min.mjs' : 'ort.webgpu.bundle.min.mjs'
}

/**
 * Loads ONNX Runtime: by the loader that is given, or in Node the package `onnxruntime-node`, else `onnxruntime-web`.
 * @param canUseGpu whether there is a GPU that computes what the graph does
 * @throws `adapter.none` where there is none
 */
export async function loadOnnxRuntime(
  loader: OnnxRuntimeLoader | undefined,
  canUseGpu: () => Promise<boolean>,
): Promise<LoadedRuntime> {
  if (!loader && !isNode) {
    throw new AdapterError(
      'adapter.none',
      "This is an ONNX model, and a page names the runtime for it: loadModel(source, { onnxRuntime: () => import('onnxruntime-web/webgpu') }).",
    )
  }
  if (!loader) {
    const { nodeRuntime } = await import('./node/node-runtime.js')
    const { runtime, isNative } = await orNone(nodeRuntime())
    if (!isNative) return { runtime, provider: 'wasm' }
    return { runtime, provider: (await canUseGpu()) ? 'webgpu' : 'cpu' }
  }
  const provider = !isNode && (await canUseGpu()) ? 'webgpu' : 'wasm'
  if (typeof loader === 'function') return { runtime: await orNone(loader()), provider }
  const address = loader.endsWith('/') ? loader + buildFor(provider) : loader
  return { runtime: await orNone(load(address)), provider }
}

async function orNone<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading
  } catch (error) {
    throw new AdapterError(
      'adapter.none',
      `ONNX Runtime could not be loaded: ${messageOf(error)}. ` +
        (isNode ? 'npm install onnxruntime-node, or onnxruntime-web.' : 'Check the address of onnxRuntime.'),
      { cause: error },
    )
  }
}
