import type { TrainingDataset } from '../../data/index.js'
import {
  type FinetuneOptions,
  type FinetuneResult,
  ParallelTraining,
  resolveSettings,
  trainPrefix,
} from '../../finetune/index.js'
import type { ReplicatedModel } from '../replicated-model.js'
import { RemoteTraining } from './remote-training.js'
import type { CardModel } from './start-replica.js'

/** As `finetunePrefixOnGpus`. */
export async function trainOnCards(
  model: ReplicatedModel<CardModel>,
  dataset: TrainingDataset,
  { continueOnLoss = false, ...options }: FinetuneOptions & { readonly continueOnLoss?: boolean },
): Promise<FinetuneResult> {
  const { accumulationSteps } = resolveSettings(options)
  const { files, ...outcome } = await trainPrefix(
    async (training) => {
      const beginning = model.replicas.map((replica) => RemoteTraining.begin(replica.model.line, training))
      const begun = await Promise.allSettled(beginning)
      const failure = begun.find((one) => one.status === 'rejected')
      const workers = begun.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      if (failure) {
        for (const worker of workers) worker.dispose()
        throw failure.reason
      }
      return new ParallelTraining(workers, { accumulationSteps, continueOnLoss })
    },
    model.config,
    dataset,
    options,
  )
  return { ...outcome, prefix: await model.loadAdapter(files) }
}
