export type { Card } from './card.js'
export { listGpus } from './list-gpus.js'
export { type GpuOptions, loadModel } from './load-model.js'
