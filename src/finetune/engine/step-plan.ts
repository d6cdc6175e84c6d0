import type { Dispatch } from '../../gpu/index.js'
import { type Command, dispatches, type SequenceSize } from './commands.js'
import { lossCommands } from './head.js'
import { allRows, backwardLayer, forwardLayer, type StepContext } from './layer.js'

/** The commands of a pass, in parts that are submitted one by one: the GPU may be shared with a display. */
export interface StepPlan {
  readonly forward: readonly (readonly Command[])[]
  readonly loss: readonly Command[]
  readonly lossAndGradient: readonly Command[]
  readonly backward: readonly (readonly Command[])[]
}

/** What a training adds to the pass through the model. */
export interface StepEnds {
  /** Before everything else. */
  readonly begin: readonly Command[]
  /** Before the way back. */
  readonly turn: readonly Command[]
  /** Behind the way back through the lowest layer. */
  readonly end: readonly Command[]
}

/** Plans the passes of a training: the embedding, the layers, the losses, and all the way back. */
export function planStep(context: StepContext, { begin, turn, end }: StepEnds): StepPlan {
  const { base, kernels, buffers } = context
  const layers = base.weights.layers.map((_, index) => index)
  const { rows, hidden } = buffers
  const embed = dispatches(
    allRows,
    ...kernels.embedding.flatMap(({ kernel, buffers }) =>
      kernel.bind('embedding', { ...buffers, rows, y: hidden[0] }),
    ),
  )
  return {
    forward: [[...begin, ...embed], ...layers.map((layer) => forwardLayer(context, layer))],
    loss: lossCommands(context, false),
    lossAndGradient: [...turn, ...lossCommands(context, true)],
    backward: [...layers.toReversed().map((layer) => backwardLayer(context, layer)), end],
  }
}

/** The dispatches of a training step over sequences of this size, for a profile. */
export function dispatchesOf(
  { forward, lossAndGradient, backward }: StepPlan,
  size: SequenceSize,
): Dispatch[] {
  return [...forward, lossAndGradient, ...backward].flat().flatMap((command): Dispatch[] => {
    if (command.kind !== 'dispatch') return []
    const rows = command.rows(size)
    const { dispatch } = command
    return rows > 0 ? [{ ...dispatch, workgroups: () => dispatch.workgroups(rows) }] : []
  })
}
