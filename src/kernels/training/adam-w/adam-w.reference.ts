import type { AdamWSettings } from './adam-w.js'

/** A parameter with AdamW's moments. */
export interface AdamWState {
  readonly parameter: Float64Array
  readonly firstMoment: Float64Array
  readonly secondMoment: Float64Array
}

/** One step of AdamW in float64, as `torch.optim.AdamW` takes it. */
export function adamWReference(
  { parameter, firstMoment, secondMoment }: AdamWState,
  gradient: ArrayLike<number>,
  { learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamWSettings,
): AdamWState {
  const m = firstMoment.map((value, i) => beta1 * value + (1 - beta1) * gradient[i])
  const v = secondMoment.map((value, i) => beta2 * value + (1 - beta2) * gradient[i] ** 2)
  const moved = parameter.map((value, i) => {
    const denominator = Math.sqrt(v[i] / (1 - beta2 ** step)) + epsilon
    return (
      value * (1 - learningRate * weightDecay) - (learningRate * m[i]) / (1 - beta1 ** step) / denominator
    )
  })
  return { parameter: moved, firstMoment: m, secondMoment: v }
}
