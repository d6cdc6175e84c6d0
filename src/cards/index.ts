export type { Card } from './card.js'
export { finetunePrefixOnGpus, type GpusFinetuneOptions } from './finetune-prefix.js'
export { listGpus } from './list-gpus.js'
export { type GpuOptions, loadModel } from './load-model.js'
