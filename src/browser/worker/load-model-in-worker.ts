import { proxy } from 'comlink'
import type { SourceLocation } from '../../checkpoint/index.js'
import { disposed, invalidOption } from '../../errors/index.js'
import type { LoadModelOptions } from '../../runtime/generate/index.js'
import {
  signal as abortSignal,
  anObject,
  callback,
  checkArgument,
  checkOptions,
  type OptionShape,
  withMethods,
} from '../../schema/index.js'
import { ModelLine } from './model-line.js'
import { packSource } from './source-transport.js'
import { startWorker } from './start-worker.js'
import { WorkerModel } from './worker-model.js'

export interface LoadModelInWorkerOptions extends LoadModelOptions {
  /**
   * A worker that runs `chatglm-webgpu/worker`, for bundlers and pages that start workers in a way of their own. It
   * stays alive after `dispose()` and can be given again. Default: one that ends with the model.
   */
  readonly worker?: Worker
}

/** What stays in the page; the worker checks the rest. */
const HERE_SHAPE: OptionShape<Pick<LoadModelInWorkerOptions, 'worker' | 'signal' | 'onProgress'>> = {
  worker: withMethods(['postMessage', 'addEventListener', 'terminate'], 'a Worker'),
  signal: abortSignal,
  onProgress: callback,
}

const NAME = 'chatglm-webgpu'
const startModelWorker = () =>
  startWorker(NAME, () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: NAME }))

/**
 * Loads a model as `loadModel` does, but into a dedicated Web Worker: reading, quantizing and generating do not hold up
 * the page.
 *
 * @param source as for `loadModel`; a source of one's own stays in the page and is asked from there
 * @throws `device.worker-failed`, `option.invalid` for an adapter as `device`, and what `loadModel` throws
 */
export async function loadModelInWorker(
  source: SourceLocation,
  given: LoadModelInWorkerOptions = {},
): Promise<WorkerModel> {
  checkArgument('options', anObject, given)
  const { worker, signal, onProgress, device, ...options } = given
  checkOptions(HERE_SHAPE, { worker, signal, onProgress })
  if (typeof device === 'object') {
    throw invalidOption('device', 'an adapter', '"auto" or "software": an adapter cannot go to a worker')
  }
  if (typeof options.onnxRuntime === 'function') {
    throw invalidOption(
      'onnxRuntime',
      'a function',
      'the address of a module: a function cannot go to a worker',
    )
  }
  signal?.throwIfAborted()
  const packed = await packSource(source)
  const line = new ModelLine(worker ?? (await startModelWorker()))
  try {
    const listener = onProgress && proxy(onProgress)
    const facts = await line.call(signal, (host, id) =>
      host.load(id, packed, { ...options, ...(device && { device }) }, listener),
    )
    return new WorkerModel(line, facts, worker === undefined)
  } catch (error) {
    line.end(disposed('model'))
    if (!worker) line.worker.terminate()
    throw error
  }
}
