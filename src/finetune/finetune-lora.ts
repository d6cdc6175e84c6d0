import type { TrainingDataset } from '../data/index.js'
import { LOCAL_MODEL, type LocalModel } from '../runtime/generate/index.js'
import {
  type AdapterHandle,
  activationWidths,
  LAYER_PRODUCTS,
  LORA_MODULES,
  type ModelConfig,
} from '../runtime/model/index.js'
import { checkArgument, checkOptions, type OptionShape } from '../schema/index.js'
import { createLoraTraining } from './engine/lora-training.js'
import type { LoraTrainingOptions, TrainingEngine } from './engine/training-engine.js'
import { LORA } from './presets.js'
import {
  packedTokens,
  RUN_SHAPE,
  type RunOptions,
  runTraining,
  type TrainingOutcome,
} from './run-training.js'
import { LORA_SHAPE, type LoraSettings, settingsFrom } from './settings.js'

/** Settings of a training of LoRA; what is left out is as in the official `lora.yaml`. */
export interface FinetuneLoraOptions extends Partial<LoraSettings>, RunOptions {}

/** A trained adapter, and how the training went. */
export interface FinetuneLoraResult extends Omit<TrainingOutcome, 'files'> {
  /** Loaded, for `chat` and `generate`. */
  readonly adapter: AdapterHandle
}

const SHAPE: OptionShape<FinetuneLoraOptions> = { ...LORA_SHAPE, ...RUN_SHAPE }
/** Tokens of short samples that go through the model at once, as for a prefix. */
const PACKED_TOKENS = 1024

/** `adapter_config.json` as PEFT writes it. @param base what the model is called */
export function loraConfig(
  { rank, alpha, dropout, rslora, targetModules }: LoraSettings,
  base: string,
): object {
  return {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: alpha,
    lora_dropout: dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    rank_pattern: {},
    revision: null,
    target_modules: [...targetModules],
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: rslora,
  }
}

function parameterCount(config: ModelConfig, { rank, targetModules }: LoraSettings): number {
  const widths = activationWidths(config)
  const roles = targetModules.map((module) => LORA_MODULES.get(module))
  const operations = LAYER_PRODUCTS.filter(({ weight }) => roles.includes(weight))
  return operations.reduce((sum, { x, y }) => sum + config.layers * rank * (widths[x] + widths[y]), 0)
}

/** What the engine of a training is made for. @param maxSequenceLength tokens of the longest sample */
function engineOptions(settings: LoraSettings, maxSequenceLength: number): LoraTrainingOptions {
  const { rank, alpha, rslora, dropout, seed, targetModules } = settings
  return {
    rank,
    scale: alpha / (rslora ? Math.sqrt(rank) : rank),
    roles: targetModules.map((module) => LORA_MODULES.get(module)!),
    dropout,
    maxSequenceLength,
    maxTokens: packedTokens(settings, maxSequenceLength, PACKED_TOKENS),
    seed,
  }
}

/**
 * Trains LoRA over an engine that is made when everything else is found to be right.
 * @param base what the model is called
 * @throws as `finetuneLora`
 */
export async function trainLora(
  createEngine: (options: LoraTrainingOptions) => Promise<TrainingEngine>,
  config: ModelConfig,
  base: string,
  dataset: TrainingDataset,
  options: FinetuneLoraOptions,
): Promise<TrainingOutcome> {
  checkOptions(SHAPE, options)
  const settings = settingsFrom<LoraSettings>(LORA.training, options)
  const subject = {
    settings,
    parameters: parameterCount(config, settings),
    config: loraConfig(settings, base),
    files: { parameters: 'adapter_model.safetensors', config: 'adapter_config.json' },
    torchBin: false,
    createEngine: (longest: number) => createEngine(engineOptions(settings, longest)),
  }
  return runTraining(subject, config, dataset, options)
}

/**
 * Trains a LoRA adapter over a model, whose own weights stay as they are and may be quantized (QLoRA).
 *
 * ```ts
 * const dataset = await readDataset('train.jsonl', model.tokenizer, LORA.data)
 * const { adapter } = await finetuneLora(model, dataset, { ...LORA.training, output: 'output/ads' })
 * ```
 *
 * `output`, and every checkpoint in it, is a folder that PEFT loads. Resuming and everything else is as of `finetunePrefix`.
 * @throws as `finetunePrefix`
 */
export async function finetuneLora(
  model: LocalModel,
  dataset: TrainingDataset,
  options: FinetuneLoraOptions = {},
): Promise<FinetuneLoraResult> {
  checkArgument('model', LOCAL_MODEL, model)
  const create = (training: LoraTrainingOptions) => createLoraTraining(model.base, training)
  const { name } = model.checkpoint.source
  const { files, ...outcome } = await trainLora(create, model.config, name, dataset, options)
  return { ...outcome, adapter: await model.loadAdapter(files) }
}
