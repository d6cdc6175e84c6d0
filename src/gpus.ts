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
  finetunePrefixOnGpus,
  type GpuOptions,
  type GpusFinetuneOptions,
  listGpus,
} from './cards/index.js'
