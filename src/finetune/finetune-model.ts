import { type ByteSink, readFile, writeFile } from '../checkpoint/index.js'
import type { TrainingDataset } from '../data/index.js'
import { TrainingError } from '../errors/index.js'
import { LOCAL_MODEL, type LocalModel } from '../runtime/generate/index.js'
import { modelTensors, tensorList } from '../runtime/model/index.js'
import { checkArgument, checkOptions, type OptionShape } from '../schema/index.js'
import { createModelTraining } from './engine/model-training.js'
import { SFT } from './presets.js'
import {
  packedTokens,
  RUN_SHAPE,
  type RunOptions,
  runTraining,
  type TrainingOutcome,
} from './run-training.js'
import { OPTIMIZATION_SHAPE, type OptimizationSettings, settingsFrom } from './settings.js'

/** Settings of the training of a whole model; what is left out is as in the official `sft.yaml`. */
export interface FinetuneModelOptions extends Partial<OptimizationSettings>, RunOptions {}

const SHAPE: OptionShape<FinetuneModelOptions> = { ...OPTIMIZATION_SHAPE, ...RUN_SHAPE }

/** Tokens that go through the model at once, where a micro-batch has as many: enough for a large GPU. */
const PACKED_TOKENS = 4096

const TOKENIZER_FILES = ['tokenizer.model', 'tokenizer_config.json', 'special_tokens_map.json']
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024

/** Puts the tokenizer beside the trained weights, so that they are a whole checkpoint. */
async function copyTokenizer({ checkpoint: { source } }: LocalModel, files: ByteSink): Promise<void> {
  for (const file of TOKENIZER_FILES) {
    if (await files.has(file)) continue
    if (await source.has(file))
      await writeFile(files, file, await readFile(source, file, MAX_TOKENIZER_BYTES))
  }
}

/**
 * Trains all weights of a model, which must have been loaded in float16: the official full fine-tuning, for models that
 * fit. Weights, gradients and AdamW's moments are float32, 16 bytes a weight beside the model's own. The model holds the
 * weights as trained so far, rounded to float16; `files` is a checkpoint in float32, for `loadModel` and
 * `convertCheckpoint`. Samples of a micro-batch go through the model together.
 *
 * @throws `training.untrainable` for a quantized model, one that is too large for the GPU, or one with fewer rows than tokens
 * @throws `option.invalid`, `input.dataset` before anything is allocated
 * @throws `training.resume-mismatch`, `sink.failed` where `output` cannot be used
 * @throws `training.stopped` where it cannot go on: its `cause` is `training.diverged`, `device.lost`, `sink.failed`, …
 * @throws the reason of the signal, after a checkpoint was saved
 */
export async function finetuneModel(
  model: LocalModel,
  dataset: TrainingDataset,
  options: FinetuneModelOptions = {},
): Promise<TrainingOutcome> {
  checkArgument('model', LOCAL_MODEL, model)
  checkOptions(SHAPE, options)
  const settings = settingsFrom<OptimizationSettings>(SFT.training, options)
  const { config, checkpoint, tokenizer } = model
  if (tokenizer.vocabSize > config.vocabulary) {
    throw new TrainingError(
      'training.untrainable',
      `The tokenizer of ${checkpoint.source.name} has ${tokenizer.vocabSize} tokens, but padded_vocab_size in its config.json is ` +
        `${config.vocabulary}. Give the model as many rows, or the tokenizer that belongs to it.`,
    )
  }
  const counts = tensorList(modelTensors(config)).map(({ shape }) => shape.reduce((a, b) => a * b, 1))
  return model.changeWeights((base) =>
    runTraining(
      {
        settings,
        parameters: counts.reduce((sum, count) => sum + count, 0),
        config: { ...(checkpoint.config as object), torch_dtype: 'float32' },
        torchBin: false,
        prepare: (files) => copyTokenizer(model, files),
        createEngine: (longest) =>
          createModelTraining(base, {
            maxSequenceLength: longest,
            maxTokens: packedTokens(settings, longest, PACKED_TOKENS),
          }),
      },
      config,
      dataset,
      options,
    ),
  )
}
