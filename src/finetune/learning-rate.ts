import type { OptimizationSettings } from './settings.js'

/**
 * The learning rate of the update that follows `step` others, as `get_scheduler` of Hugging Face's transformers
 * gives it for `linear`, `cosine` and `constant_with_warmup`.
 */
export function learningRateAt(settings: OptimizationSettings, step: number): number {
  const { learningRate, schedule, warmupSteps, maxSteps } = settings
  if (step < warmupSteps) return (learningRate * step) / warmupSteps
  if (schedule === 'constant') return learningRate
  const progress = (step - warmupSteps) / Math.max(1, maxSteps - warmupSteps)
  const share = schedule === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress))
  return learningRate * Math.max(0, share)
}
