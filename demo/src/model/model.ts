import { computed, signal } from '@preact/signals'
import type { Progress, SourceLocation } from '../../../src/index.js'
import { dismissKind, isAbort, report } from '../problems/problems.js'
import { whenGated } from '../storage/offline.js'
import { openStore } from '../storage/store.js'
import { loadModel, type WorkerModel } from './backend.js'
import { loadedPrefixes } from './loaded-prefixes.js'
import { type RunOptions, runOptions } from './run-options.js'
import { shippedModelUrl } from './shipped.js'

/** Where a model comes from. */
export type ModelSource =
  | { readonly kind: 'shipped' }
  | { readonly kind: 'stored'; readonly name: string }
  | { readonly kind: 'folder'; readonly name: string; readonly location: SourceLocation }

export interface ReadyModel {
  readonly state: 'ready'
  readonly source: ModelSource
  readonly options: RunOptions
  readonly model: WorkerModel
  readonly loadSeconds: number
}

export type ModelState =
  | { readonly state: 'none' }
  | { readonly state: 'loading'; readonly source: ModelSource; readonly progress: Progress | undefined }
  | ReadyModel
  /** The GPU was taken away. */
  | { readonly state: 'lost'; readonly source: ModelSource; readonly options: RunOptions }

export const modelState = signal<ModelState>({ state: 'none' })

/** The model that is loaded, if one is. */
export const readyModel = computed(() => (modelState.value.state === 'ready' ? modelState.value : undefined))

/** Whether the model in use is the one that ships with the page, and knows little. */
export const usesShipped = computed(
  () => modelState.value.state !== 'none' && modelState.value.source.kind === 'shipped',
)

/** Whether the small model answers what is asked now: it is in use, or no other is chosen. */
export const smallModelAnswers = computed(() => modelState.value.state === 'none' || usesShipped.value)

export const SHIPPED: ModelSource = { kind: 'shipped' }

/** Whether models run in WebAssembly, because there is no WebGPU and the user does not mind that it is slow. */
const usesWasm = signal(false)

/** Runs the small model in WebAssembly. */
export function openInWasm(): Promise<ReadyModel | undefined> {
  usesWasm.value = true
  return openModel(SHIPPED)
}

/** By what models are run. */
function runtimeOptions({ device, quantizeBits }: RunOptions) {
  if (usesWasm.value) {
    const onnxRuntime = new URL('ort/', document.baseURI).href
    return { engine: 'onnx', device: 'software', onnxRuntime } as const
  }
  return { device, ...(quantizeBits && { quantization: { bits: quantizeBits } }) } as const
}

let loading: { readonly controller: AbortController; readonly model: Promise<ReadyModel> } | undefined

async function locate(source: ModelSource): Promise<SourceLocation> {
  if (source.kind === 'folder') return source.location
  if (source.kind === 'stored') return (await openStore()).source(source.name)
  return shippedModelUrl()
}

async function load(source: ModelSource, options: RunOptions, signal: AbortSignal): Promise<ReadyModel> {
  const started = performance.now()
  modelState.value = { state: 'loading', source, progress: undefined }
  const location = await locate(source)
  await whenGated()
  const model = await loadModel(location, {
    ...runtimeOptions(options),
    activations: options.activations,
    ...(options.contextLength && { contextLength: options.contextLength }),
    signal,
    onProgress: (progress) => {
      if (!signal.aborted) modelState.value = { state: 'loading', source, progress }
    },
  })
  const loadSeconds = (performance.now() - started) / 1000
  const ready: ReadyModel = { state: 'ready', source, options, model, loadSeconds }
  model.lost.then((error) => {
    if (modelState.value !== ready) return
    modelState.value = { state: 'lost', source, options }
    loadedPrefixes.clear()
    report(error)
  })
  return ready
}

/**
 * Loads a model in the place of the one before.
 * @returns undefined when it was given up or failed; the user is told why
 */
export async function openModel(
  source: ModelSource,
  options: RunOptions = runOptions.value,
): Promise<ReadyModel | undefined> {
  closeModel()
  const controller = new AbortController()
  const model = load(source, options, controller.signal)
  loading = { controller, model }
  try {
    const ready = await model
    if (controller.signal.aborted) {
      ready.model.dispose()
      return undefined
    }
    modelState.value = ready
    dismissKind('lost')
    return ready
  } catch (error) {
    if (loading?.model === model) modelState.value = { state: 'none' }
    if (!isAbort(error) && !controller.signal.aborted) report(error)
    return undefined
  } finally {
    if (loading?.model === model) loading = undefined
  }
}

/**
 * The loaded model; the one that is being loaded, once it is; or else the small one.
 * @param stop ends the wait, and not the loading
 * @returns undefined where there is none in the end
 */
export async function requireModel(stop?: AbortSignal): Promise<ReadyModel | undefined> {
  if (stop?.aborted) return undefined
  const stopped = new Promise<undefined>((resolve) => {
    stop?.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  return Promise.race([modelToUse(), stopped])
}

async function modelToUse(): Promise<ReadyModel | undefined> {
  const state = modelState.value
  if (state.state === 'ready') return state
  if (loading) return loading.model.catch(() => undefined)
  if (state.state === 'lost') return openModel(state.source, state.options)
  return openModel(SHIPPED)
}

/** Gives the memory back, or gives up loading. */
export function closeModel(): void {
  loading?.controller.abort(new DOMException('Another model was chosen.', 'AbortError'))
  loading = undefined
  if (modelState.value.state === 'ready') modelState.value.model.dispose()
  loadedPrefixes.clear()
  modelState.value = { state: 'none' }
}
