import { type DeviceChoice, openGpu } from '../../../gpu/index.js'
import {
  byProduct,
  type LinearShape,
  type ModelConfig,
  type ModelShape,
  modelTensors,
  type ProductRole,
  type TensorSpec,
} from '../../model/index.js'
import { chunkRows } from '../webgpu/engine-options.js'
import { candidates } from './candidates.js'
import { planChoices } from './choose-variants.js'
import { readTuning, tuningKey } from './tuning-record.js'
import { platformTuningStore } from './tuning-store.js'
import type { VariantChoices } from './variants.js'

const CONFIG: ModelConfig = {
  layers: 28,
  hidden: 4096,
  ffn: 13_696,
  heads: 32,
  kvGroups: 2,
  headDim: 128,
  vocabulary: 65_024,
  maxContextLength: 8192,
  ropeBase: 10_000,
  epsilon: 1e-5,
  qkvBias: true,
}

/** The matrices of a model in 4 bits. */
function shapeOf(config: ModelConfig): ModelShape {
  const matrix = ({ shape: [rows, inFeatures] }: TensorSpec): LinearShape => {
    const slice = { format: { type: 'q4', groupSize: 64 }, rows } as const
    return { inFeatures, outFeatures: rows, slices: [slice] }
  }
  const { layers, output } = modelTensors(config)
  const layer = (tensors: Readonly<Record<ProductRole, TensorSpec>>) =>
    byProduct(({ weight }) => matrix(tensors[weight]))
  return { layers: layers.map(layer), output: matrix(output) }
}

/** What an adapter computes a model with. */
export interface VariantPreview {
  /** The model that this is about. */
  readonly model: string
  readonly variants: VariantChoices
  /** Where measured times are kept; undefined where there is no place for them. */
  readonly timesIn: string | undefined
}

/**
 * Tells which variants a device computes chatglm3-6b with, in 4 bits and groups of 64: the fastest of those measured when
 * it was loaded before, or those preferred until then. Nothing is loaded, compiled or measured.
 * @throws `adapter.none`, `adapter.limit`
 */
export async function previewVariants(device?: DeviceChoice): Promise<VariantPreview> {
  const gpu = await openGpu(device)
  try {
    const shape = shapeOf(CONFIG)
    const times = await platformTuningStore()
    const key = tuningKey(gpu, CONFIG, shape, chunkRows(gpu, CONFIG.maxContextLength))
    const known = times ? await readTuning(times, key) : {}
    const plans = planChoices(candidates({ gpu, config: CONFIG, shape, activations: 'int8' }), {
      forced: {},
      known,
      measure: !gpu.software,
    })
    const variants = plans.map(({ name, order: [variant], reason, impossible }) => [
      name,
      { variant, reason, impossible },
    ])
    return {
      model: 'chatglm3-6b in 4 bits',
      variants: Object.fromEntries(variants) as VariantChoices,
      timesIn: times?.location,
    }
  } finally {
    gpu.dispose()
  }
}
