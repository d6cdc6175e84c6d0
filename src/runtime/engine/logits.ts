import type { AdapterHandle } from '../model/index.js'
import type { Engine } from './engine.js'
import { resolveSampling } from './sampling-options.js'

export interface LogitsOptions {
  readonly prefix?: AdapterHandle | undefined
  readonly prefixStrength?: number
}

/**
 * The logits at every position of a sequence, on an engine that does nothing else.
 * @returns f32 [ids.length, vocabulary]
 */
export async function computeLogits(
  engine: Engine,
  ids: readonly number[],
  { prefix, prefixStrength = 1 }: LogitsOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const { vocabulary } = engine.config
  const result = new Float32Array(ids.length * vocabulary)
  const sampling = resolveSampling({}, vocabulary)
  const start = { ids, prefix, prefixStrength, sampling, stopIds: [], positionLimit: ids.length, fresh: true }
  const slot = engine.open(start)
  if (!slot) throw new TypeError('The engine has no place for the sequence.')
  try {
    while (slot.pendingTokens > 0) {
      const done = ids.length - slot.pendingTokens
      const count = Math.min(engine.chunkTokens, slot.pendingTokens)
      const step = { rows: [], chunks: [{ slot, count, logits: true }] }
      await engine.prepare(step)
      const [{ logits }] = await engine.run(step).chunks
      if (logits) result.set(logits, done * vocabulary)
    }
    return result
  } finally {
    engine.close(slot)
  }
}
