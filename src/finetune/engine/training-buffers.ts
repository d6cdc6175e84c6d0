import { ropeTable } from '../../kernels/index.js'
import { activationWidths, type ModelBase } from '../../runtime/model/index.js'
import type { Allocation } from './allocation.js'
import type { TrainingKernels } from './kernels.js'
import type { PlannedMemory } from './training-engine.js'
import type { TrainingShape } from './training-shape.js'

interface PlannedBuffer extends PlannedMemory {
  readonly label: string
}

const FLOAT = 4

/** What kernels need beside their inputs and outputs. */
type ScratchBytes = Pick<TrainingKernels, 'productScratchBytes' | 'attentionScratchBytes'>

/** The buffers of a step and their sizes. Nothing here is larger than it must be for the longest sequence. */
function planBuffers({ config }: Pick<ModelBase, 'config'>, shape: TrainingShape, kernels: ScratchBytes) {
  const { layers, heads, headDim } = config
  const { hidden, attended, qkv, gateUp, activated, logits } = activationWidths(config)
  const { maxRows, chunkRows, headRows, headStride } = shape
  // Without a prefix all layers share something to bind.
  const prefixLayers = shape.prefixLength > 0 ? layers : 1
  const plan =
    (purpose: string) =>
    (label: string, bytes: number): PlannedBuffer => ({ purpose, label, bytes })
  const sequence = plan('the sequence')
  const saved = plan('inputs of the layers')
  const layer = plan('one layer')
  const chunk = plan('feed-forward, a chunk of rows')
  const loss = plan('logits of a chunk of targets')
  const prefix = plan('keys and values of the prefix, and their gradients')
  const targetWords = Math.ceil(shape.maxTokens / headRows) * headStride * FLOAT
  return {
    rows: sequence('rows', maxRows * 16),
    sequences: sequence('sequences', (shape.packed ? 1 + 2 * maxRows : 1) * FLOAT),
    targetRows: sequence('rows with targets', targetWords),
    targetIds: sequence('targets', targetWords),
    losses: sequence('losses', targetWords),
    dropout: sequence('dropout', 16),
    ropeTable: sequence('rope table', shape.maxTokens * (headDim / 2) * FLOAT),
    /** hidden[l] is the input of layer l; the last is the output of the last layer. */
    hidden: Array.from({ length: layers + 1 }, (_, index) =>
      saved(`input of layer ${index}`, maxRows * hidden * FLOAT),
    ),
    /** Gradient of the residual stream. */
    gradient: layer('gradient of the residual stream', maxRows * hidden * FLOAT),
    /** What goes into a product or comes out of one on the way back. */
    normed: layer('normed', maxRows * Math.max(hidden, attended) * FLOAT),
    qkv: layer('qkv', maxRows * qkv * FLOAT),
    qkvGradient: layer('gradient of qkv', maxRows * qkv * FLOAT),
    attended: layer('attended', maxRows * attended * FLOAT),
    logSumExp: layer('log-sum-exp', maxRows * heads * FLOAT),
    productScratch: layer('scratch of products', kernels.productScratchBytes),
    attentionScratch: layer('scratch of attention', kernels.attentionScratchBytes),
    chunkNormed: chunk('normed, a chunk', chunkRows * hidden * FLOAT),
    gateUp: chunk('gate and up, a chunk', chunkRows * gateUp * FLOAT),
    activated: chunk('activated, a chunk', chunkRows * activated * FLOAT),
    headHidden: loss('rows with targets, a chunk', headRows * hidden * FLOAT),
    headNormed: loss('final norm, a chunk', headRows * hidden * FLOAT),
    headGradient: loss('gradient of the final norm, a chunk', headRows * hidden * FLOAT),
    logits: loss('logits, a chunk', headRows * logits * FLOAT),
    prefix: prefix('prefix', prefixLayers * shape.layerStride * FLOAT),
    prefixGradient: prefix('gradient of the prefix', prefixLayers * shape.layerStride * FLOAT),
  }
}

type Plan = ReturnType<typeof planBuffers>

/** The buffers of a step. */
export type TrainingBuffers = {
  readonly [Name in keyof Plan]: Plan[Name] extends PlannedBuffer ? GPUBuffer : readonly GPUBuffer[]
}

/** GPU memory of a step, by purpose. */
export function planMemory(
  base: Pick<ModelBase, 'config'>,
  shape: TrainingShape,
  kernels: ScratchBytes,
): readonly PlannedMemory[] {
  const all = Object.values(planBuffers(base, shape, kernels)).flat()
  const purposes = [...new Set(all.map(({ purpose }) => purpose))]
  return purposes.map((purpose) => ({
    purpose,
    bytes: all.reduce((sum, one) => sum + (one.purpose === purpose ? one.bytes : 0), 0),
  }))
}

/** Allocates what was planned. @throws `adapter.limit` */
export function allocateBuffers(
  base: ModelBase,
  shape: TrainingShape,
  kernels: TrainingKernels,
  allocation: Allocation,
): TrainingBuffers {
  const { gpu, config } = base
  const allocate = ({ label, bytes }: PlannedBuffer) =>
    allocation.allocate('activations', `training ${label}`, bytes)
  const entries = Object.entries(planBuffers(base, shape, kernels)).map(([name, plan]) => [
    name,
    Array.isArray(plan) ? plan.map(allocate) : allocate(plan),
  ])
  const buffers = Object.fromEntries(entries) as TrainingBuffers
  gpu.write(buffers.ropeTable, 0, ropeTable(shape.maxTokens, config.headDim, config.ropeBase))
  return buffers
}
