import type { TrainingDataset } from '../data/index.js'
import { LOCAL_MODEL, type LocalModel } from '../runtime/generate/index.js'
import type { AdapterHandle } from '../runtime/model/index.js'
import { checkArgument } from '../schema/index.js'
import { createPrefixTraining, planTraining } from './engine/prefix-training.js'
import type { PlannedMemory } from './engine/training-engine.js'
import { longestSample, type TrainingOutcome } from './run-training.js'
import { engineOptions, type FinetuneOptions, resolveSettings, trainPrefix } from './train-prefix.js'

/** A trained prefix, and how the training went. */
export interface FinetuneResult extends Omit<TrainingOutcome, 'files'> {
  /** Loaded, for `chat` and `generate`. */
  readonly prefix: AdapterHandle
}

/**
 * Trains a P-Tuning v2 prefix over a model, whose own weights stay as they are and may be quantized.
 *
 * ```ts
 * const { data, training } = PRESETS.ptuning
 * const dataset = await readDataset('train.jsonl', model.tokenizer, data)
 * const { prefix } = await finetunePrefix(model, dataset, { ...training, output: 'output/ads' })
 * ```
 *
 * Checkpoints go to `output` on the way; a training that was interrupted goes on from the last of them with `resume`,
 * as if it had never been. The prefix in `output` itself is the last one, or with `earlyStopping` the best.
 * @throws `option.invalid`, `input.dataset` before anything is allocated
 * @throws `training.resume-mismatch`, `sink.failed` where `output` cannot be used
 * @throws `training.stopped` where it cannot go on: its `cause` is `training.diverged`, `device.lost`, `sink.failed`, …
 * @throws the reason of the signal, after a checkpoint was saved
 */
export async function finetunePrefix(
  model: LocalModel,
  dataset: TrainingDataset,
  options: FinetuneOptions = {},
): Promise<FinetuneResult> {
  checkArgument('model', LOCAL_MODEL, model)
  const create = (training: Parameters<typeof createPrefixTraining>[1]) =>
    createPrefixTraining(model.base, training)
  const { files, ...outcome } = await trainPrefix(create, model.config, dataset, options)
  return { ...outcome, prefix: await model.loadPrefix(files) }
}

/**
 * The GPU memory that a training will take besides the model, by purpose. It compiles the kernels, but allocates
 * nothing.
 * @throws `option.invalid`, `input.dataset`
 */
export async function planTrainingMemory(
  model: LocalModel,
  dataset: TrainingDataset,
  options: FinetuneOptions = {},
): Promise<readonly PlannedMemory[]> {
  checkArgument('model', LOCAL_MODEL, model)
  const settings = resolveSettings(options)
  const { evaluation } = options
  const longest = longestSample(evaluation ? [dataset, evaluation] : [dataset], model.config)
  return planTraining(model.base, engineOptions(settings, longest))
}
