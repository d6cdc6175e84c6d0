import { sequenceBounds } from '../../kernels/index.js'
import type { SequenceSize } from './commands.js'
import { diverged } from './errors.js'
import type { StepContext } from './layer.js'
import type { CheckedSample } from './pack-samples.js'
import type { Targets } from './sample.js'
import type { SampleLoss } from './training-engine.js'

type InputContext = Pick<StepContext, 'base' | 'shape' | 'buffers'>

/** Place of a target in the buffers that its chunk finds at its own offset. */
function placeOf({ shape: { headRows, headStride } }: InputContext, target: number): number {
  return Math.floor(target / headRows) * headStride + (target % headRows)
}

function inChunks(context: InputContext, values: readonly number[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(placeOf(context, values.length - 1) + 1)
  values.forEach((value, target) => {
    words[placeOf(context, target)] = value
  })
  return words
}

/** The targets of samples that lie one behind the other. */
function joinTargets(samples: readonly CheckedSample[]): Targets {
  let begin = 0
  const rows = samples.flatMap(({ ids, targets }) => {
    const moved = targets.rows.map((row) => row + begin)
    begin += ids.length
    return moved
  })
  return { rows, ids: samples.flatMap(({ targets }) => targets.ids) }
}

/** Writes what the kernels read of samples, which lie one behind the other; a shape that is not packed has one. */
export function writeSequences(context: InputContext, samples: readonly CheckedSample[]): SequenceSize {
  const { base, shape, buffers } = context
  const { gpu } = base
  const targets = joinTargets(samples)
  const lengths = samples.map(({ ids }) => ids.length)
  const count = lengths.reduce((sum, length) => sum + length, 0)
  const rows = new Uint32Array(count * 4)
  let row = 0
  for (const { ids } of samples) {
    ids.forEach((id, position) => {
      rows.set([id, 0, position, shape.prefixLength], 4 * row++)
    })
  }
  gpu.write(buffers.rows, 0, rows)
  const bounds = shape.packed ? sequenceBounds(lengths) : []
  gpu.write(buffers.sequences, 0, new Uint32Array([count, ...bounds]))
  gpu.write(buffers.targetRows, 0, inChunks(context, targets.rows))
  gpu.write(buffers.targetIds, 0, inChunks(context, targets.ids))
  return { rows: count, targets: targets.rows.length, distinct: 0 }
}

/**
 * Reads the losses of the pass submitted last.
 * @returns their mean over the targets
 * @throws `training.diverged`
 */
export async function readLoss(context: InputContext, targets: number): Promise<SampleLoss> {
  const { base, buffers } = context
  const bytes = await base.gpu.read(buffers.losses, 0, (placeOf(context, targets - 1) + 1) * 4)
  const losses = new Float32Array(bytes)
  let sum = 0
  for (let target = 0; target < targets; target++) sum += losses[placeOf(context, target)]
  const loss = sum / targets
  if (!Number.isFinite(loss)) throw diverged('loss', loss)
  return { loss, targets }
}
