import type { SourceLocation } from '../checkpoint/index.js'
import { type DeviceError, invalidOption } from '../errors/index.js'
import { isNode } from '../platform/index.js'
import {
  type LoadModelOptions,
  type LocalModel,
  loadModel as loadHere,
  type Model,
} from '../runtime/generate/index.js'
import { anObject, callback, checkArgument } from '../schema/index.js'
import type { Tokenizer } from '../tokenizer/index.js'

/** On which cards a model is to be. In Node alone. */
export interface GpuOptions {
  /**
   * The card, or the cards, by the numbers that `chatglm devices` shows. The model is whole on each; calls made at the same
   * time are spread over them. Not together with a `device` other than `auto` and `software`.
   */
  readonly gpu: number | readonly number[]
  /** Told of a card that is lost while others go on. */
  readonly onGpuLost?: (label: string, error: DeviceError) => void
}

/** More than a machine has. */
const MOST_GPUS = 64

/** @throws `option.invalid` for what is no card's number, and for a card that is named twice */
function checkGpu(gpu: unknown): void {
  const gpus: readonly unknown[] = Array.isArray(gpu) ? gpu : [gpu]
  if (gpus.length > MOST_GPUS) throw invalidOption('gpu', gpu, `at most ${MOST_GPUS} GPUs`)
  const areNumbers = gpus.every((one) => Number.isSafeInteger(one) && (one as number) >= 0)
  if (gpus.length === 0 || !areNumbers)
    throw invalidOption('gpu', gpu, 'the number of a GPU, or a list of them')
  if (new Set(gpus).size < gpus.length) throw invalidOption('gpu', `[${gpus}]`, 'each GPU once')
}

/**
 * Loads a ChatGLM3 model onto the GPU: the official float16 checkpoint, an official or own quantized one, from
 * wherever it is. A folder with `model.onnx` is run by ONNX Runtime.
 *
 * In Node `gpu` says which cards: `loadModel(source, { gpu: 1 })`, `{ gpu: [0, 1] }`. Where there are several, or WebGPU
 * cannot tell the one from others, each works in a process of its own, and the model is one that cannot be trained with
 * `finetunePrefix`.
 *
 * @param source a folder's path (Node), a URL, files of a file input, a directory handle, or `hf:owner/name`
 * @throws `adapter.none`, CheckpointError and its kinds, `checkpoint.model-unsupported`, `checkpoint.tokenizer-missing`, `device.out-of-memory`,
 *   `adapter.limit`, `adapter.shader-refused`, `option.invalid`, and the signal's reason; with `gpu` also
 *   `adapter.card-unknown`, `adapter.card-hidden`, `device.worker-failed`
 */
export function loadModel(source: SourceLocation, options?: LoadModelOptions): Promise<LocalModel>
export function loadModel(
  source: SourceLocation,
  options: LoadModelOptions & GpuOptions,
): Promise<Model & { readonly tokenizer: Tokenizer }>
export async function loadModel(
  source: SourceLocation,
  options: LoadModelOptions & Partial<GpuOptions> = {},
): Promise<Model & { readonly tokenizer: Tokenizer }> {
  checkArgument('options', anObject, options)
  const { gpu, onGpuLost, ...rest } = options
  if (onGpuLost !== undefined) checkArgument('onGpuLost', callback, onGpuLost)
  if (gpu === undefined) return loadHere(source, rest)
  checkGpu(gpu)
  if (!isNode) throw invalidOption('gpu', gpu, 'nothing in a browser, which chooses the GPU itself')
  const { loadOnGpus } = await import('./node/load-on-cards.js')
  return loadOnGpus(source, { ...options, gpu })
}
