import type { TrainingAttentionConstants } from '../../common/training-attention.js'
import {
  attentionTrainingReference,
  trainingLayout,
} from '../attention-training/attention-training.reference.js'

/**
 * The gradient of `attentionTrainingReference` in float64: with weights p, dp = dy . v and delta = dy . y,
 * ds = p (dp - delta), dq = ds k / sqrt(headDim), dk = ds q / sqrt(headDim), dv = p dy, summed over rows and over the
 * heads of a group.
 * @param dy [rows, heads * headDim]
 * @param lengths rows of each sequence; one sequence where they are left out
 * @returns gradients in the layouts of qkv and of the prefix
 */
export function attentionBackwardReference(
  qkv: ArrayLike<number>,
  prefix: ArrayLike<number>,
  dy: ArrayLike<number>,
  constants: TrainingAttentionConstants,
  rows: number,
  lengths: readonly number[] = [rows],
): { dqkv: Float64Array; dprefix: Float64Array } {
  const { heads, headDim } = constants
  const layout = trainingLayout(constants)
  const { y, weights } = attentionTrainingReference(qkv, prefix, constants, rows, lengths)
  const dqkv = new Float64Array(rows * layout.qkvWidth)
  const dprefix = new Float64Array(prefix.length)
  const scale = 1 / Math.sqrt(headDim)
  for (let line = 0; line < rows * heads; line++) {
    const [row, head] = [Math.floor(line / heads), line % heads]
    const group = layout.group(head)
    let delta = 0
    for (let d = 0; d < headDim; d++) delta += dy[line * headDim + d] * y[line * headDim + d]
    weights[line].forEach((weight, c) => {
      let product = 0
      for (let d = 0; d < headDim; d++) {
        const value = layout.value(c, group, d)
        product += dy[line * headDim + d] * (value.inPrefix ? prefix : qkv)[value.index]
        const gradient = value.inPrefix ? dprefix : dqkv
        gradient[value.index] += weight * dy[line * headDim + d]
      }
      const ds = weight * (product - delta) * scale
      for (let d = 0; d < headDim; d++) {
        const key = layout.key(c, group, d)
        dqkv[layout.query(row, head, d)] += ds * (key.inPrefix ? prefix : qkv)[key.index]
        const gradient = key.inPrefix ? dprefix : dqkv
        gradient[key.index] += ds * qkv[layout.query(row, head, d)]
      }
    })
  }
  return { dqkv, dprefix }
}
