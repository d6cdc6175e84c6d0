import type { TrainingDataset } from '../data/index.js'
import type { ModelConfig } from '../runtime/model/index.js'
import { checkOptions, flag, type OptionShape } from '../schema/index.js'
import type { PrefixTrainingOptions, TrainingEngine } from './engine/training-engine.js'
import { PRESETS } from './presets.js'
import {
  packedTokens,
  RUN_SHAPE,
  type RunOptions,
  runTraining,
  type TrainingOutcome,
} from './run-training.js'
import { settingsFrom, TRAINING_SHAPE, type TrainingSettings } from './settings.js'

/** Settings of a training; what is left out is as in the preset `ptuning`. */
export interface FinetuneOptions extends Partial<TrainingSettings>, RunOptions {
  /** Writes each prefix as `pytorch_model.bin` too, which the official scripts load. */
  readonly torchBin?: boolean
}

/** The fields of `config.json` by which the official code and this project know a prefix and its model. */
function prefixConfig(model: ModelConfig, { prefixLength, prefixProjection }: TrainingSettings): object {
  return {
    model_type: 'chatglm',
    num_layers: model.layers,
    hidden_size: model.hidden,
    ffn_hidden_size: model.ffn,
    num_attention_heads: model.heads,
    kv_channels: model.headDim,
    multi_query_attention: true,
    multi_query_group_num: model.kvGroups,
    padded_vocab_size: model.vocabulary,
    pre_seq_len: prefixLength,
    prefix_projection: prefixProjection,
    use_cache: false,
  }
}

/** Weights and biases of the prefix encoder. */
function parameterCount(
  { layers, kvGroups, headDim, hidden }: ModelConfig,
  settings: TrainingSettings,
): number {
  const width = 2 * layers * kvGroups * headDim
  const projection = settings.prefixProjection ? 2 * width * hidden + hidden + width : 0
  return settings.prefixLength * width + projection
}

const SHAPE: OptionShape<FinetuneOptions> = { ...TRAINING_SHAPE, ...RUN_SHAPE, torchBin: flag }

/** @throws `option.invalid` naming the setting */
export function resolveSettings(options: FinetuneOptions): TrainingSettings {
  checkOptions(SHAPE, options)
  return settingsFrom<TrainingSettings>(PRESETS.ptuning.training, options)
}

/** Tokens of short samples that go through the model at once: activations of more would weigh beside a large model. */
const PACKED_TOKENS = 1024

/** What the engine of a training is made for. @param maxSequenceLength tokens of the longest sample */
export function engineOptions(settings: TrainingSettings, maxSequenceLength: number): PrefixTrainingOptions {
  const { prefixLength, prefixProjection: projection, dropout, seed } = settings
  const maxTokens = packedTokens(settings, maxSequenceLength, PACKED_TOKENS)
  return { prefixLength, projection, maxSequenceLength, maxTokens, dropout, seed }
}

/**
 * Trains a prefix over an engine that is made when everything else is found to be right.
 * @throws as `finetunePrefix`
 */
export async function trainPrefix(
  createEngine: (options: PrefixTrainingOptions) => Promise<TrainingEngine>,
  model: ModelConfig,
  dataset: TrainingDataset,
  options: FinetuneOptions,
): Promise<TrainingOutcome> {
  const settings = resolveSettings(options)
  const subject = {
    settings,
    parameters: parameterCount(model, settings),
    config: prefixConfig(model, settings),
    torchBin: options.torchBin ?? false,
    createEngine: (longest: number) => createEngine(engineOptions(settings, longest)),
  }
  return runTraining(subject, model, dataset, options)
}
