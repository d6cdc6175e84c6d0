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

/** The part of `onnxruntime-web` that is used; its module is one. */
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
 * Where ONNX Runtime comes from: a function, as `() => import('onnxruntime-web/webgpu')`, or the address of its module, which can
 * be given to a worker.
 */
export type OnnxRuntimeLoader = string | (() => Promise<OnnxRuntime>)

/** A variable to bundlers: the address is that of a file as it is. */
const load = (address: string): Promise<OnnxRuntime> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ address)

/**
 * Loads ONNX Runtime: by the loader that is given, or in Node the package `onnxruntime-web`.
 * @throws `adapter.none` where there is none
 */
export async function loadOnnxRuntime(loader: OnnxRuntimeLoader | undefined): Promise<OnnxRuntime> {
  if (!loader && !isNode) {
    throw new AdapterError(
      'adapter.none',
      "This is an ONNX model, and a page names the runtime for it: loadModel(source, { onnxRuntime: () => import('onnxruntime-web/webgpu') }).",
    )
  }
  try {
    if (typeof loader === 'string') return await load(loader)
    return loader ? await loader() : (await import('./node/node-runtime.js')).onnxRuntime
  } catch (error) {
    throw new AdapterError(
      'adapter.none',
      'This is an ONNX model, and ONNX Runtime could not be loaded: npm install onnxruntime-web.',
      { cause: error },
    )
  }
}
