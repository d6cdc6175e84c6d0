import { resolveSampling, Sampler } from '../common/internals.js'
import type { KernelFamily } from './kernel-case.js'

const TOP_K = 50

/** Penalties, bans and the choice of the next id, as one call, with the official settings. */
export const samplingKernels: KernelFamily = (_gpu, { vocabulary }) => [
  {
    kernel: 'sampling',
    variant: `top-k ${TOP_K}, top-p 0.8`,
    shape: `1 x ${vocabulary}`,
    // Logits are read twice and scores written and read, at the least.
    bytes: vocabulary * 4 * 4,
    operations: vocabulary * 8,
    unit: 'f32',
    tolerance: 0,
    async prepare(workshop) {
      const { gpu } = workshop
      const sampler = new Sampler(gpu, vocabulary, 1)
      const dispatches = await sampler.build()
      workshop.refill(sampler.logits, { kind: 'f32', center: 0, range: 8 })
      const row = { promptIds: [1, 2, 3], slot: 0, prefixLength: 0, seed: 1, positionLimit: 2 ** 31 }
      sampler.start([row], resolveSampling({ topK: TOP_K, seed: 1 }, vocabulary), [])
      return {
        sets: [dispatches],
        rows: 1,
        error: async () => {
          const [id] = new Uint32Array(await gpu.read(sampler.rows, 0, 16))
          const logits = await workshop.readFloats(sampler.logits, 0, vocabulary)
          const better = logits.filter((logit) => logit > logits[id]).length
          return id < vocabulary && better < TOP_K ? 0 : 1
        },
      }
    },
  },
]
