import type { TrainingSample } from '../../data/index.js'
import { IGNORED_LABEL } from './sample.js'
import type { BatchOptions, PrefixTrainingEngine, SampleLoss } from './training-engine.js'

/** How many tokens of a sample are predicted; the first one never is. */
export function countTargets({ labels }: TrainingSample): number {
  return labels.reduce((count, label, index) => count + Number(index > 0 && label !== IGNORED_LABEL), 0)
}

/** A micro-batch of an engine that takes one sequence at a time: each weighs as much as its share of the targets. */
export async function accumulateOneByOne(
  engine: Pick<PrefixTrainingEngine, 'accumulate'>,
  batch: readonly TrainingSample[],
  { gradientScale, dropoutSeeds, signal }: BatchOptions,
): Promise<SampleLoss> {
  const targets = batch.reduce((sum, sample) => sum + countTargets(sample), 0)
  const losses = await Promise.all(
    batch.map(async (sample, place) => {
      const share = countTargets(sample) / targets
      const { loss } = await engine.accumulate(sample, {
        gradientScale: share * gradientScale,
        dropoutSeed: dropoutSeeds?.[place],
        ...(signal && { signal }),
      })
      return share * loss
    }),
  )
  return { loss: losses.reduce((sum, loss) => sum + loss, 0), targets }
}
