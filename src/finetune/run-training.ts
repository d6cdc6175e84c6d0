import {
  type ByteSink,
  MemoryFiles,
  openSink,
  SINK_PLACE,
  type SinkLocation,
  withLock,
} from '../checkpoint/index.js'
import { DATASET, type DatasetHandle, type TrainingDataset } from '../data/index.js'
import { InputError } from '../errors/index.js'
import type { ModelConfig } from '../runtime/model/index.js'
import { signal as abortSignal, callback, checkArgument, flag, type OptionShape } from '../schema/index.js'
import { type CheckpointFiles, CheckpointStore } from './checkpoint-store.js'
import type { TrainingEngine } from './engine/training-engine.js'
import type { OptimizationSettings } from './settings.js'
import { Trainer, type TrainerSettings } from './trainer.js'
import { BEGINNING, type LogEntry } from './trainer-state.js'
import type { StopReason, TrainingEvent } from './training-event.js'
import type { TrainingIdentity } from './training-identity.js'

/** How a training runs, whatever is trained. */
export interface RunOptions {
  /** Where checkpoints go, a folder of its own; without it they stay in memory. */
  readonly output?: SinkLocation
  /** Goes on with the training in `output`; where there is none yet, begins it. */
  readonly resume?: boolean
  /** Held-out data, for the loss on them. */
  readonly evaluation?: TrainingDataset
  /** Saves a checkpoint and ends the training. */
  readonly signal?: AbortSignal
  readonly onProgress?: (event: TrainingEvent) => void
}

/** What each of them takes. */
export const RUN_SHAPE: OptionShape<RunOptions> = {
  output: SINK_PLACE,
  resume: flag,
  evaluation: DATASET,
  signal: abortSignal,
  onProgress: callback,
}

/** What came out of a training. */
export interface TrainingOutcome {
  /** Steps taken, those of earlier runs included. */
  readonly steps: number
  readonly stopReason: StopReason
  /** The evaluation of the lowest loss; null where there was none. */
  readonly best: { readonly loss: number; readonly step: number } | null
  readonly log: readonly LogEntry[]
  /** The files of what was trained, at the top of the output. */
  readonly files: ByteSink
}

/** What is trained. */
export interface Subject<Settings extends TrainerSettings> {
  readonly settings: Settings
  /** Numbers that are trained. */
  readonly parameters: number
  /** What describes what is trained to others: `config.json` of the checkpoints, as a rule. */
  readonly config: object
  /** The files of a checkpoint that others read. Default: `CHECKPOINT_FILES`. */
  readonly files?: CheckpointFiles
  /** Whether to write `pytorch_model.bin` too, for the official scripts. */
  readonly torchBin: boolean
  /** Puts beside the parameters, at the top of the output, what belongs to them. */
  readonly prepare?: (files: ByteSink) => Promise<void>
  /** Sets the training up. @param longest tokens of the longest sample */
  readonly createEngine: (longest: number) => Promise<TrainingEngine>
}

/**
 * Tokens of the longest sample.
 * @throws `input.dataset` for a sample that the model has no positions for
 */
export function longestSample(datasets: readonly DatasetHandle[], model: ModelConfig): number {
  for (const dataset of datasets) checkArgument('dataset', DATASET, dataset)
  for (const { name, longest } of datasets) {
    if (longest <= model.maxContextLength) continue
    throw new InputError(
      'input.dataset',
      `${name} has a sample of ${longest} tokens; the model was made for ${model.maxContextLength} positions. ` +
        'Cut samples to fewer tokens.',
    )
  }
  return Math.max(...datasets.map(({ longest }) => longest))
}

/** Tokens that go through the model at once, where samples of a micro-batch are packed: up to `most`, or one sample. */
export function packedTokens({ batchSize }: OptimizationSettings, longest: number, most: number): number {
  return Math.max(longest, Math.min(batchSize * longest, most))
}

/**
 * Runs a training over an engine that is made when everything else is found to be right.
 * @throws as `finetunePrefix`
 */
export async function runTraining<Settings extends TrainerSettings>(
  { settings, parameters, config, files: names, torchBin, prepare, createEngine }: Subject<Settings>,
  model: ModelConfig,
  dataset: TrainingDataset,
  { output, resume = false, evaluation, signal, onProgress }: RunOptions,
): Promise<TrainingOutcome> {
  const longest = longestSample(evaluation ? [dataset, evaluation] : [dataset], model)
  const files = await openSink(output ?? new MemoryFiles([], 'the trained parameters'))
  return withLock(files, 'a training', async () => {
    const identity: TrainingIdentity = {
      settings,
      data: { samples: dataset.length, fingerprint: dataset.fingerprint },
      model: { ...model },
    }
    const store = await CheckpointStore.open(files, identity, {
      torchBin,
      resume,
      ...(names && { files: names }),
    })
    const checkpoint = await store.load(signal)
    await prepare?.(files)
    const engine = await createEngine(longest)
    try {
      if (checkpoint) await engine.writeState(checkpoint.state)
      const position = checkpoint?.position ?? BEGINNING
      onProgress?.({
        type: 'start',
        step: position.step,
        maxSteps: settings.maxSteps,
        parameters,
        memory: engine.memory,
        damaged: checkpoint?.damaged ?? [],
      })
      const shared = { settings, store, config, signal, onProgress }
      const trainer = new Trainer(engine, dataset, { ...shared, evaluation }, position)
      const stopReason = await trainer.run()
      const { step, best, log } = trainer.position
      return { steps: step, stopReason, best, log, files }
    } finally {
      engine.dispose()
    }
  })
}
