import { type Command, dispatches, type SequenceSize } from './commands.js'
import type { StepContext } from './layer.js'

const WORD = 4

/**
 * From the last layer's output to the losses of the rows that have targets and, with `backward`, to the gradient of
 * the sum of the losses with respect to that output. Only these rows have logits, a chunk of them at a time.
 */
export function lossCommands(
  { base, shape, kernels, buffers, gradients }: StepContext,
  backward: boolean,
): Command[] {
  const { headRows, headStride, maxTokens } = shape
  const { hidden, headHidden, headNormed, headGradient, logits, gradient, productScratch } = buffers
  const last = hidden[base.config.layers]
  const weight = base.weights.finalNorm
  const chunks = Array.from({ length: Math.ceil(maxTokens / headRows) }, (_, chunk) => {
    const range = (buffer: GPUBuffer) => {
      const size = headStride * WORD
      return { buffer, offset: chunk * size, size }
    }
    const index = range(buffers.targetRows)
    const rows = ({ targets }: SequenceSize) => Math.min(headRows, targets - chunk * headRows)
    const forward = [
      ...kernels.gather.bind('rows with targets', { index, x: last, y: headHidden }),
      ...kernels.normalize.bind('final norm', { x: headHidden, weight, y: headNormed }),
      ...kernels.output.bind(headNormed, logits, productScratch),
      ...kernels.crossEntropy.bind('cross entropy', {
        x: logits,
        targets: range(buffers.targetIds),
        losses: range(buffers.losses),
      }),
    ]
    if (!backward) return dispatches(rows, ...forward)
    return dispatches(
      rows,
      ...forward,
      ...(gradients?.output(logits, headNormed, chunk) ?? []),
      ...kernels.outputBackward.bind(logits, headNormed, productScratch),
      ...(gradients?.finalNorm(headHidden, headNormed, chunk) ?? []),
      ...kernels.normBackward.bind('final norm gradient', {
        x: headHidden,
        weight,
        dy: headNormed,
        dx: headGradient,
      }),
      ...kernels.scatter.bind('gradient to rows with targets', { index, x: headGradient, y: gradient }),
    )
  })
  const clear: Command[] = backward ? [{ kind: 'clear', buffer: gradient }] : []
  return [...clear, ...chunks.flat()]
}
