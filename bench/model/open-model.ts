import {
  type EngineOptions,
  type Gpu,
  loadWeights,
  type ModelConfig,
  type ModelWeights,
  openCheckpoint,
  parseModelConfig,
  WebGpuEngine,
  type WeightFormat,
} from '../common/internals.js'
import { bytesPerToken, layerParameters, randomWeights } from './random-weights.js'
import { SHAPES } from './shapes.js'

/** Where a model's weights come from, and how it is run. */
export interface ModelChoice {
  /** A real model's folder; else random weights in `shape`. */
  readonly folder?: string
  readonly shape: string
  /** 4 or 8, or 16 for dense weights. With a folder: what its float weights are quantized to while loading. */
  readonly bits: number
  readonly groupSize: number
  readonly contextLength?: number
  readonly activations: EngineOptions['activations']
  readonly seed: number
  /** Sequences that run at once, and the cache for them; the engine's defaults where left out. */
  readonly sizes?: Pick<EngineOptions, 'maxSequences' | 'cacheTokens' | 'chunkTokens'>
}

/** What is known of a model that is measured. */
export interface ModelFacts {
  readonly name: string
  readonly weights: string
  readonly activations: EngineOptions['activations']
  readonly contextLength: number
  readonly config: ModelConfig
  /** Bytes of weights that a decode step reads. */
  readonly bytesPerToken: number
  /** Weights that a row of a prompt is multiplied by. */
  readonly layerParameters: number
  /** Reading a folder onto the GPU. */
  readonly load?: { readonly seconds: number; readonly bytes: number }
  /** Allocating the cache and compiling the kernels. */
  readonly prepareSeconds: number
}

export interface OpenModel {
  readonly engine: WebGpuEngine
  readonly facts: ModelFacts
}

function formatOf({ bits, groupSize }: ModelChoice): WeightFormat {
  if (bits === 16) return { type: 'f16' }
  return { type: bits === 8 ? 'q8' : 'q4', groupSize }
}

export function nameOf({ slices: [{ format }] }: ModelWeights['output']): string {
  return format.type === 'f16' ? 'f16' : `${format.type}, groups of ${format.groupSize}`
}

async function fromFolder(gpu: Gpu, folder: string, { bits, groupSize, contextLength }: ModelChoice) {
  const started = performance.now()
  const checkpoint = await openCheckpoint(folder)
  const config = parseModelConfig(checkpoint.config)
  let bytes = 0
  const weights = await loadWeights(gpu, checkpoint, config, {
    positions: contextLength ?? config.maxContextLength,
    ...((bits === 4 || bits === 8) && { quantization: { bits, groupSize: groupSize === 32 ? 32 : 64 } }),
    onProgress: (_loaded, total) => {
      bytes = total
    },
  })
  return { config, weights, load: { seconds: (performance.now() - started) / 1000, bytes } }
}

async function fromShape(gpu: Gpu, choice: ModelChoice) {
  const config = SHAPES[choice.shape]
  if (!config) throw new Error(`No shape "${choice.shape}"; there are ${Object.keys(SHAPES).join(', ')}.`)
  const positions = choice.contextLength ?? config.maxContextLength
  const weights = await randomWeights(gpu, config, formatOf(choice), positions, choice.seed)
  return { config, weights, load: undefined }
}

/** Puts the weights of a model onto the GPU. */
export async function openWeights(gpu: Gpu, choice: ModelChoice) {
  const opened = await (choice.folder ? fromFolder(gpu, choice.folder, choice) : fromShape(gpu, choice))
  await gpu.finish()
  return opened
}

/** What to call a model in a report. */
export function modelName({ folder, shape }: ModelChoice): string {
  return folder?.replace(/\/+$/, '').split('/').pop() ?? `${shape}, random weights`
}

/** Puts a model onto the GPU, ready to run. */
export async function openModel(gpu: Gpu, choice: ModelChoice): Promise<OpenModel> {
  const { config, weights, load } = await openWeights(gpu, choice)
  const contextLength = choice.contextLength ?? config.maxContextLength
  const { activations } = choice
  const started = performance.now()
  const engine = await WebGpuEngine.create(gpu, config, weights, {
    ...choice.sizes,
    contextLength,
    activations,
  })
  const facts: ModelFacts = {
    name: modelName(choice),
    weights: nameOf(weights.output),
    activations,
    contextLength,
    config,
    bytesPerToken: bytesPerToken(weights),
    layerParameters: layerParameters(weights),
    ...(load && { load }),
    prepareSeconds: (performance.now() - started) / 1000,
  }
  return { engine, facts }
}
