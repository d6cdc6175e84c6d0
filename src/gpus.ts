/**
 * Several GPUs of one machine, for Node.
 *
 * ```ts
 * for (const { index, name, memory } of await listGpus()) console.log(index, name, memory?.free)
 * const model = await loadModel('models/tiny', { gpu: [0, 1] })
 * ```
 *
 * @packageDocumentation
 */
export {
  type Card,
  type CardPlan,
  type ExpectedSpeed,
  finetunePrefixOnGpus,
  type GpuOptions,
  type GpuPlan,
  type GpusFinetuneOptions,
  listGpus,
  type PlanOptions,
  planGpus,
  type StageMemory,
} from './cards/index.js'
export type { EstimateTrainingOptions, TrainingMethod } from './finetune/index.js'
