import type { Targets } from './sample.js'
import type { SampleLoss } from './training-engine.js'

/** A sample with its targets, which say that it can be used. */
export interface CheckedSample {
  readonly ids: readonly number[]
  readonly targets: Targets
}

/** How many tokens of samples are predicted. */
export function countTargets(samples: readonly CheckedSample[]): number {
  return samples.reduce((sum, { targets }) => sum + targets.rows.length, 0)
}

/**
 * Deals samples out in their order, as many to a pack as fit together.
 * @param maxTokens of a pack; no sample is longer
 */
function packSamples(samples: readonly CheckedSample[], maxTokens: number): CheckedSample[][] {
  const packs: CheckedSample[][] = []
  let room = 0
  for (const sample of samples) {
    const { length } = sample.ids
    if (length > room) {
      packs.push([])
      room = maxTokens
    }
    packs[packs.length - 1].push(sample)
    room -= length
  }
  return packs
}

/**
 * Runs a micro-batch in packs, the next one before the losses of the last are read.
 * @param run one pass
 * @returns the mean loss over all targets
 */
export async function accumulatePacks(
  samples: readonly CheckedSample[],
  maxTokens: number,
  run: (pack: readonly CheckedSample[]) => Promise<SampleLoss>,
): Promise<SampleLoss> {
  const parts = await Promise.all(packSamples(samples, maxTokens).map(run))
  const targets = countTargets(samples)
  return { loss: parts.reduce((sum, part) => sum + (part.loss * part.targets) / targets, 0), targets }
}
