import {
  type AffineQuantization,
  type Progress,
  SOURCE_SHAPE,
  type SourceOptions,
} from '../../checkpoint/index.js'
import { invalidOption } from '../../errors/index.js'
import { DEVICE_SCHEMA, type DeviceChoice, type GpuOptions } from '../../gpu/index.js'
import {
  signal as abortSignal,
  callback,
  flag,
  listOf,
  number,
  type OptionShape,
  oneOf,
  text,
  wholeNumber,
  z,
} from '../../schema/index.js'
import { type OnnxRuntimeLoader, VARIANTS_SCHEMA, type Variants } from '../engine/index.js'
import { type ModelConfig, QUANTIZATION } from '../model/index.js'

export interface LoadModelOptions extends SourceOptions {
  /**
   * Whether to compare the files with the checkpoint's `manifest.json` before anything is loaded: sizes and SHA-256. They
   * are read once more for it. Default false: then only files of up to 64 MiB that are at hand are compared, while kernels
   * compile, and a difference is a warning.
   */
  readonly verify?: boolean
  /** Quantizes a float checkpoint while it loads; one that is quantized already stays as it is. */
  readonly quantization?: Partial<AffineQuantization>
  /** Positions that prompt and answer together may take. Default: the model's own, up to 8192. */
  readonly contextLength?: number
  /** Sequences that run side by side, 1 to 64: those of `generateBatch`, and of calls made at the same time. Default 8. */
  readonly maxSequences?: number
  /**
   * Tokens that the cache has room for, of all sequences and prefixes together. Where it is too small for those that run,
   * the youngest wait. Default: what one sequence of `contextLength` takes behind a prefix of 128.
   */
  readonly cacheTokens?: number
  /**
   * The most tokens of prompts that a step computes, beside one of each answer under way: more is faster for prompts, less
   * delays answers less. Default 512; 32 on a software adapter.
   */
  readonly chunkTokens?: number
  /** Sequences that may wait for a place; more are refused with `busy.waiting`. Default 1024. */
  readonly maxWaiting?: number
  /**
   * Whether activations may be rounded to 8 bits on their way into a matrix product (`int8`, the default) where integer
   * dot products are the fastest: with 4-bit weights while one sequence is decoded, with 4 or 8 bits in prompts. With
   * `float` they never are. Where several sequences are decoded at once it is in floats, too.
   */
  readonly activations?: 'int8' | 'float'
  /**
   * Which kernels to use where there are several, by name: see `VARIANTS`. Default: what was the fastest on this GPU when
   * a model of this shape was first loaded on it.
   */
  readonly variants?: Partial<Variants>
  /** Default: the fastest adapter there is. */
  readonly device?: DeviceChoice
  /** Features of the adapter to leave unused. */
  readonly without?: GpuOptions['without']
  /**
   * What computes: the kernels of this project on WebGPU, or ONNX Runtime, which needs no WebGPU and is slow without it. Default:
   * `webgpu` for checkpoints; ONNX models have ONNX Runtime alone. With `onnx` a checkpoint is exported into memory first.
   */
  readonly engine?: 'webgpu' | 'onnx'
  /**
   * ONNX Runtime, for ONNX models: in a page `() => import('onnxruntime-web/webgpu')`, so that only pages with such models
   * hold it; or the address of its module, or of the folder `onnxruntime-web/dist` with a `/` at its end. Default: in Node the
   * package `onnxruntime-node`, else `onnxruntime-web`; in a page none.
   */
  readonly onnxRuntime?: OnnxRuntimeLoader
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

const count = number(Number.isSafeInteger, 'a whole number')

/** Sizes are compared with the model and the adapter where these are known. */
export const LOAD_MODEL_SHAPE: OptionShape<LoadModelOptions> = {
  ...SOURCE_SHAPE,
  signal: abortSignal,
  quantization: QUANTIZATION,
  contextLength: count,
  maxSequences: count,
  cacheTokens: count,
  chunkTokens: count,
  maxWaiting: wholeNumber(0),
  activations: oneOf(['int8', 'float']),
  variants: VARIANTS_SCHEMA,
  device: DEVICE_SCHEMA,
  engine: oneOf(['webgpu', 'onnx']),
  verify: flag,
  without: listOf(text, 'a list of features'),
  onnxRuntime: z.union([text, callback], { error: 'a function or the address of a module' }),
  onProgress: callback,
}

/** Positions where the caller names none and the model has more. */
export const DEFAULT_CONTEXT_LENGTH = 8192

/**
 * The positions that a model is loaded for.
 * @throws `option.invalid` for more than it was made for
 */
export function contextLengthOf(
  options: Pick<LoadModelOptions, 'contextLength'>,
  config: Pick<ModelConfig, 'maxContextLength'>,
): number {
  const contextLength = options.contextLength ?? Math.min(DEFAULT_CONTEXT_LENGTH, config.maxContextLength)
  if (!Number.isSafeInteger(contextLength) || contextLength < 2 || contextLength > config.maxContextLength) {
    throw invalidOption(
      'contextLength',
      contextLength,
      `a whole number from 2 to ${config.maxContextLength}, the positions this model was made for`,
    )
  }
  return contextLength
}
