import { type ByteSink, MemoryFiles, openSink, type SinkLocation } from '../checkpoint/index.js'
import type { ModelConfig } from '../runtime/index.js'
import { CheckpointStore } from './checkpoint-store.js'
import type { TrainingDataset } from './data/dataset.js'
import type { PrefixTrainingOptions, TrainingEngine } from './engine/training-engine.js'
import { DatasetError } from './errors.js'
import { PRESETS } from './presets.js'
import { checkSettings, type TrainingSettings } from './settings.js'
import { Trainer } from './trainer.js'
import { BEGINNING, type LogEntry } from './trainer-state.js'
import type { StopReason, TrainingEvent } from './training-event.js'
import type { TrainingIdentity } from './training-identity.js'

/** Settings of a training; what is left out is as in the preset `ptuning`. */
export interface FinetuneOptions extends Partial<TrainingSettings> {
  /** Where checkpoints go, a folder of its own; without it they stay in memory. */
  readonly output?: SinkLocation
  /** Goes on with the training in `output`; where there is none yet, begins it. */
  readonly resume?: boolean
  /** Held-out data, for the loss on them. */
  readonly evaluation?: TrainingDataset
  /** Writes each prefix as `pytorch_model.bin` too, which the official scripts load. */
  readonly torchBin?: boolean
  /** Saves a checkpoint and ends the training. */
  readonly signal?: AbortSignal
  readonly onProgress?: (event: TrainingEvent) => void
}

/** What came out of a training. */
export interface TrainingOutcome {
  /** Steps taken, those of earlier runs included. */
  readonly steps: number
  readonly stopReason: StopReason
  /** The evaluation of the lowest loss; null where there was none. */
  readonly best: { readonly loss: number; readonly step: number } | null
  readonly log: readonly LogEntry[]
  /** The files of the prefix, at the top of the output. */
  readonly files: ByteSink
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

/** @throws InvalidOptionError naming the setting */
function resolveSettings(given: Partial<TrainingSettings>): TrainingSettings {
  const defaults: TrainingSettings = PRESETS.ptuning.training
  const known = Object.entries(given).filter(([name, value]) => name in defaults && value !== undefined)
  const settings: TrainingSettings = { ...defaults, ...Object.fromEntries(known) }
  checkSettings(settings)
  return settings
}

/** @throws DatasetError for a sample that the model has no positions for */
function longestSample(datasets: readonly TrainingDataset[], model: ModelConfig): number {
  for (const { name, longest } of datasets) {
    if (longest <= model.maxContextLength) continue
    throw new DatasetError(
      `${name} has a sample of ${longest} tokens; the model was made for ${model.maxContextLength} positions. ` +
        'Cut samples to fewer tokens.',
    )
  }
  return Math.max(...datasets.map(({ longest }) => longest))
}

/**
 * A training over an engine that is made when everything else is found to be right.
 * @throws as `finetunePrefix`
 */
export async function trainPrefix(
  createEngine: (options: PrefixTrainingOptions) => Promise<TrainingEngine>,
  model: ModelConfig,
  dataset: TrainingDataset,
  options: FinetuneOptions,
): Promise<TrainingOutcome> {
  const {
    output = new MemoryFiles([], 'the trained prefix'),
    resume = false,
    evaluation,
    torchBin = false,
    signal,
    onProgress,
    ...given
  } = options
  const settings = resolveSettings(given)
  const maxSequenceLength = longestSample(evaluation ? [dataset, evaluation] : [dataset], model)
  const files = await openSink(output)
  const identity: TrainingIdentity = {
    settings,
    data: { samples: dataset.length, fingerprint: dataset.fingerprint },
    model: { ...model },
  }
  const store = await CheckpointStore.open(files, identity, { torchBin, resume })
  const checkpoint = await store.load(signal)
  const { prefixLength, prefixProjection: projection, dropout, seed } = settings
  const engine = await createEngine({ prefixLength, projection, maxSequenceLength, dropout, seed })
  try {
    if (checkpoint) engine.writeState(checkpoint.state)
    const position = checkpoint?.position ?? BEGINNING
    onProgress?.({
      type: 'start',
      step: position.step,
      maxSteps: settings.maxSteps,
      parameters: parameterCount(model, settings),
      memory: engine.memory,
      damaged: checkpoint?.damaged ?? [],
    })
    const config = prefixConfig(model, settings)
    const shared = { settings, store, config, signal, onProgress }
    const trainer = new Trainer(engine, dataset, { ...shared, evaluation }, position)
    const stopReason = await trainer.run()
    const { step, best, log } = trainer.position
    return { steps: step, stopReason, best, log, files }
  } finally {
    engine.dispose()
  }
}
