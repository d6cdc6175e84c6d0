import { DATASET, type TrainingDataset } from '../data/index.js'
import { invalidOption } from '../errors/index.js'
import type { FinetuneOptions, FinetuneResult } from '../finetune/index.js'
import { finetunePrefix } from '../finetune/index.js'
import { isNode } from '../platform/index.js'
import { LocalModel, type Model } from '../runtime/generate/index.js'
import { anObject, checkArgument, flag } from '../schema/index.js'
import type { CardModel } from './node/start-replica.js'
import { ReplicatedModel } from './replicated-model.js'

export interface GpusFinetuneOptions extends FinetuneOptions {
  /**
   * Whether the training goes on with the other GPUs where one is lost: the step that was under way is done again. Default
   * false: then it stops behind the last whole step, which is saved.
   */
  readonly continueOnLoss?: boolean
}

/**
 * Trains a P-Tuning v2 prefix as `finetunePrefix` does, on all GPUs of a model that was loaded with `gpu`: each works on its share
 * of every step, their gradients are added up in the order of the GPUs, and the optimizer is on the first one. The result is that
 * of one GPU up to the order of sums. A training can be resumed on another number of GPUs.
 * @throws as `finetunePrefix`
 */
export async function finetunePrefixOnGpus(
  model: Pick<Model, 'loadAdapter'>,
  dataset: TrainingDataset,
  given: GpusFinetuneOptions = {},
): Promise<FinetuneResult> {
  checkArgument('model', anObject, model)
  checkArgument('dataset', DATASET, dataset)
  checkArgument('options', anObject, given)
  const { continueOnLoss, ...options } = given
  if (continueOnLoss !== undefined) checkArgument('continueOnLoss', flag, continueOnLoss)
  if (model instanceof LocalModel) return finetunePrefix(model, dataset, options)
  if (!isNode || !(model instanceof ReplicatedModel)) {
    throw invalidOption(
      'model',
      'a model in a worker',
      'one that loadModel gave: a worker has its own finetunePrefix',
    )
  }
  const { trainOnCards } = await import('./node/train-on-cards.js')
  const shared = continueOnLoss === undefined ? options : { ...options, continueOnLoss }
  return trainOnCards(model as ReplicatedModel<CardModel>, dataset, shared)
}
