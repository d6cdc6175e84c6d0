import type { DataSettings } from '../data/index.js'
import { describe, OptionError } from '../errors/index.js'
import { type ModelPreset, PRESETS, type Preset, type PresetName, SFT } from './presets.js'
import type { TrainingSettings } from './settings.js'

/** Settings by the names that the official scripts and Hugging Face's `TrainingArguments` give them. */
const TRAINING_NAMES: Readonly<Record<string, keyof TrainingSettings>> = {
  PRE_SEQ_LEN: 'prefixLength',
  pre_seq_len: 'prefixLength',
  num_virtual_tokens: 'prefixLength',
  prefix_projection: 'prefixProjection',
  dropout: 'dropout',
  LR: 'learningRate',
  learning_rate: 'learningRate',
  lr_scheduler_type: 'schedule',
  warmup_steps: 'warmupSteps',
  adam_beta1: 'beta1',
  adam_beta2: 'beta2',
  adam_epsilon: 'epsilon',
  weight_decay: 'weightDecay',
  max_grad_norm: 'maxGradientNorm',
  DEV_BATCH_SIZE: 'batchSize',
  per_device_train_batch_size: 'batchSize',
  // So spelt in the official scripts.
  GRAD_ACCUMULARION_STEPS: 'accumulationSteps',
  GRAD_ACCUMULATION_STEPS: 'accumulationSteps',
  gradient_accumulation_steps: 'accumulationSteps',
  MAX_STEP: 'maxSteps',
  max_steps: 'maxSteps',
  SAVE_INTERVAL: 'saveInterval',
  save_steps: 'saveInterval',
  logging_steps: 'logInterval',
  eval_steps: 'evaluationInterval',
  early_stopping_patience: 'earlyStopping',
  seed: 'seed',
}

const LENGTH_NAMES: Readonly<Record<string, keyof Lengths>> = {
  MAX_SOURCE_LEN: 'source',
  max_source_length: 'source',
  MAX_TARGET_LEN: 'target',
  max_target_length: 'target',
  MAX_SEQ_LEN: 'sequence',
  max_seq_length: 'sequence',
  max_input_length: 'input',
  max_output_length: 'output',
}

/** A limit of lengths, and the name that the file gives it. */
interface Length {
  readonly tokens: number
  readonly path: string
}

type Lengths = Partial<Record<'source' | 'target' | 'sequence' | 'input' | 'output', Length>>

/** Names whose value can only be one of a few. */
const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ['PREFIX_TUNING'],
  task_type: ['CAUSAL_LM'],
  save_strategy: ['steps'],
  logging_strategy: ['steps'],
  evaluation_strategy: ['steps', 'no'],
  optim: ['adamw_torch'],
  NUM_GPUS: [1],
}

/** Names that mean something to the official programs alone: paths, workers, evaluation by generating. */
const UNUSED = [
  ...['BASE_MODEL_PATH', 'DATASET_PATH', 'OUTPUT_DIR', 'RUN_NAME', 'DATESTR', 'AUTORESUME_FROM_CHECKPOINT'],
  ...['train_file', 'val_file', 'test_file', 'num_proc', 'train_format', 'model_name_or_path', 'output_dir'],
  ...['preprocessing_num_workers', 'dataloader_num_workers', 'remove_unused_columns', 'log_level', 'use_cpu'],
  ...['per_device_eval_batch_size', 'predict_with_generate', 'generation_config', 'resume_from_checkpoint'],
]

const SECTIONS = ['data_config', 'training_args', 'peft_config']

const SCHEDULE_NAMES: Readonly<Record<string, TrainingSettings['schedule']>> = {
  linear: 'linear',
  cosine: 'cosine',
  constant: 'constant',
  constant_with_warmup: 'constant',
}

/** Of these only the training of a prefix has any. */
const PREFIX_SETTINGS: readonly (keyof TrainingSettings)[] = ['prefixLength', 'prefixProjection', 'dropout']

/** The official files have 2 kB. The YAML reader takes the square of the number of names. */
const MAX_LENGTH = 64 * 1024

/** What a file of settings says. */
export interface SettingsFile<Settings = Preset> {
  readonly preset: Settings
  /** Names in it that have no meaning here. */
  readonly unused: readonly string[]
}

/**
 * Reads settings in YAML, by the names of `finetune_pt.sh` (`PRE_SEQ_LEN`, `LR`, …), of its Python arguments, or in the
 * structure of `ptuning_v2.yaml`. What the file leaves out is as in the preset.
 * @param name what to call the file in an error
 * @param base the preset; by default the one whose lengths the file names
 * @throws `option.settings-file` naming the setting and what was expected
 */
export async function parseSettings(text: string, name: string, base?: PresetName): Promise<SettingsFile> {
  const { content, training, lengths, unused } = await readSettings(text, name)
  const preset: Preset = PRESETS[base ?? presetFor(content, lengths)]
  const data = withLengths(preset.data, lengths, name)
  return { preset: { data, training: { ...preset.training, ...training } as TrainingSettings }, unused }
}

/**
 * The same for the training of all weights, in the structure of `sft.yaml`. What the file leaves out is as there.
 * @throws `option.settings-file`, also for settings that only a prefix has
 */
export async function parseModelSettings(text: string, name: string): Promise<SettingsFile<ModelPreset>> {
  const { training, paths, lengths, unused } = await readSettings(text, name)
  for (const setting of PREFIX_SETTINGS) {
    const path = paths.get(setting)
    if (path === undefined) continue
    throw new OptionError(
      'option.settings-file',
      `${name}: ${path} is a setting of a prefix, but all weights are to be trained. Leave it out, or use a preset of prefixes.`,
    )
  }
  const data = withLengths(SFT.data, lengths, name)
  return { preset: { data, training: { ...SFT.training, ...training } as ModelPreset['training'] }, unused }
}

/** What a file says, before it is known what it leaves out. */
interface ReadSettings {
  readonly content: Mapping
  readonly training: Partial<Record<keyof TrainingSettings, unknown>>
  /** What the file calls each of them. */
  readonly paths: ReadonlyMap<keyof TrainingSettings, string>
  readonly lengths: Lengths
  readonly unused: readonly string[]
}

async function readSettings(text: string, name: string): Promise<ReadSettings> {
  const { parse } = await import('yaml')
  if (text.length > MAX_LENGTH) {
    throw new OptionError(
      'option.settings-file',
      `${name} has ${text.length} characters; settings have at most ${MAX_LENGTH}. Check that it is the right file.`,
    )
  }
  let content: unknown
  try {
    // Warnings would go to the console; what they are about is refused below.
    content = parse(text, { logLevel: 'error' })
  } catch (error) {
    throw new OptionError('option.settings-file', `${name} is no YAML: ${(error as Error).message}`, {
      cause: error,
    })
  }
  if (!isMapping(content)) {
    throw new OptionError(
      'option.settings-file',
      `${name}: expected names and values, found ${describe(content)}.`,
    )
  }
  const training: Partial<Record<keyof TrainingSettings, unknown>> = {}
  const paths = new Map<keyof TrainingSettings, string>()
  const lengths: Lengths = {}
  const unused: string[] = []
  for (const { key, path, value } of flatten(content, name)) {
    if (Object.hasOwn(TRAINING_NAMES, key)) {
      const setting = TRAINING_NAMES[key]
      paths.set(setting, path)
      training[setting] = readValue(setting, value, `${name}: ${path}`)
    } else if (Object.hasOwn(LENGTH_NAMES, key)) {
      lengths[LENGTH_NAMES[key]] = { tokens: readLength(value, `${name}: ${path}`), path }
    } else if (Object.hasOwn(FIXED, key)) {
      if (!FIXED[key].includes(value)) {
        throw new OptionError(
          'option.settings-file',
          `${name}: ${path} is ${describe(value)}; only ${FIXED[key].join(' or ')} is supported.`,
        )
      }
    } else if (UNUSED.includes(key)) unused.push(path)
    else
      throw new OptionError(
        'option.settings-file',
        `${name}: ${path} is no setting of a training that is supported here.`,
      )
  }
  return { content, training, paths, lengths, unused }
}

type Mapping = Readonly<Record<string, unknown>>

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function flatten(content: Mapping, name: string): { key: string; path: string; value: unknown }[] {
  return Object.entries(content).flatMap(([key, value]) => {
    if (!SECTIONS.includes(key)) return [{ key, path: key, value }]
    if (isMapping(value)) {
      return Object.entries(value).map(([inner, innerValue]) => ({
        key: inner,
        path: `${key}.${inner}`,
        value: innerValue,
      }))
    }
    throw new OptionError(
      'option.settings-file',
      `${name}: expected ${key} to be names and values, found ${describe(value)}.`,
    )
  })
}

function readValue(setting: keyof TrainingSettings, value: unknown, where: string): unknown {
  const expected = (what: string) =>
    new OptionError('option.settings-file', `${where} is ${describe(value)}; expected ${what}.`)
  if (setting === 'prefixProjection') {
    if (typeof value === 'boolean') return value
    throw expected('true or false')
  }
  if (setting === 'schedule') {
    if (typeof value === 'string' && Object.hasOwn(SCHEDULE_NAMES, value)) return SCHEDULE_NAMES[value]
    throw expected(`one of ${Object.keys(SCHEDULE_NAMES).join(', ')}`)
  }
  if (typeof value === 'number') return value
  throw expected('a number')
}

function readLength(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw new OptionError(
    'option.settings-file',
    `${where} is ${describe(value)}; expected a whole number of tokens from 1 up.`,
  )
}

function presetFor(content: Mapping, { sequence, input, output }: Lengths): PresetName {
  if (input || output || SECTIONS.some((section) => section in content)) return 'ptuning-v2'
  return sequence ? 'ptuning-multiturn' : 'ptuning'
}

/** The limits of `ptuning_v2.yaml`, which count input and output by themselves. */
const V2 = { input: 256, output: 512 }

function withLengths(
  data: DataSettings,
  { source, target, sequence, input, output }: Lengths,
  name: string,
): DataSettings {
  const refuse = (others: readonly (Length | undefined)[], format: string) => {
    for (const other of others) {
      if (!other) continue
      throw new OptionError(
        'option.settings-file',
        `${name}: ${other.path} has no meaning for ${format}; use another preset, or leave it out.`,
      )
    }
  }
  if (data.format === 'input-output') {
    refuse([sequence, input, output], 'pairs of prompt and response')
    return {
      ...data,
      maxSourceLength: source?.tokens ?? data.maxSourceLength,
      maxTargetLength: target?.tokens ?? data.maxTargetLength,
    }
  }
  refuse([source, target], 'conversations')
  if (sequence) return { ...data, maxLength: sequence.tokens }
  if (!input && !output) return data
  return { ...data, maxLength: (input?.tokens ?? V2.input) + (output?.tokens ?? V2.output) + 1 }
}
