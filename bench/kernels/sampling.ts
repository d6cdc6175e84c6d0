import { resolveSampling, SlotTables } from '../common/internals.js'
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
      const tables = new SlotTables(gpu, { vocabulary, slots: 1, maxRows: 1 })
      const dispatches = await tables.build()
      workshop.refill(tables.logits, { kind: 'f32', center: 0, range: 8 })
      const start = {
        ids: [1, 2, 3],
        prefix: undefined,
        prefixStrength: 1,
        sampling: resolveSampling({ topK: TOP_K, seed: 1 }, vocabulary),
        stopIds: [],
        positionLimit: 2 ** 31,
      }
      tables.write(0, start, tables.check(start), [])
      const encoder = gpu.device.createCommandEncoder()
      tables.encodeRows(encoder, [0])
      gpu.device.queue.submit([encoder.finish()])
      return {
        sets: [dispatches],
        rows: 1,
        error: async () => {
          const [id] = new Uint32Array(await gpu.read(tables.rows, 0, 16))
          const logits = await workshop.readFloats(tables.logits, 0, vocabulary)
          const better = logits.filter((logit) => logit > logits[id]).length
          return id < vocabulary && better < TOP_K ? 0 : 1
        },
      }
    },
  },
]
