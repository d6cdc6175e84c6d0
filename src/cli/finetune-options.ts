import { type Command, Option } from 'commander'
import type {
  DataSettings,
  LoraPreset,
  LoraSettings,
  ModelPreset,
  Preset,
  PresetName,
  SettingsFile,
  TrainingSettings,
} from '../finetune.js'
import { UsageError } from './errors.js'
import type { Library } from './library.js'
import { number, wholeNumber } from './numbers.js'
import { readText } from './read-text.js'

/** The presets of the training of all weights, and of LoRA; the others are for prefixes. */
const ALL_WEIGHTS = 'sft'
const LORA = 'lora'
const PRESET_NAMES: readonly (PresetName | typeof ALL_WEIGHTS | typeof LORA)[] = [
  'ptuning',
  'ptuning-multiturn',
  'ptuning-v2',
  LORA,
  ALL_WEIGHTS,
]
const METHODS = ['prefix', 'lora', 'full'] as const
type Method = (typeof METHODS)[number]
const SCHEDULES: readonly TrainingSettings['schedule'][] = ['linear', 'cosine', 'constant']

/** Settings that options of their own change. */
type SettingFlags = Pick<
  TrainingSettings,
  | 'prefixLength'
  | 'prefixProjection'
  | 'learningRate'
  | 'schedule'
  | 'warmupSteps'
  | 'batchSize'
  | 'accumulationSteps'
  | 'maxSteps'
  | 'saveInterval'
  | 'logInterval'
  | 'evaluationInterval'
  | 'earlyStopping'
  | 'seed'
>

/** How to train, as the command line says it. */
export interface SettingsFlags
  extends Partial<SettingFlags>,
    Partial<Pick<LoraSettings, 'rank' | 'alpha' | 'rslora'>> {
  readonly method?: Method
  readonly loraDropout?: number
  readonly targetModules?: readonly string[]
  readonly preset?: (typeof PRESET_NAMES)[number]
  readonly config?: string
  readonly maxSourceLength?: number
  readonly maxTargetLength?: number
  readonly maxLength?: number
}

export function addSettingsOptions(command: Command): Command {
  return command
    .optionsGroup('Settings:')
    .addOption(
      new Option(
        '--preset <name>',
        'an official recipe: lora trains an adapter, sft all weights, the others a prefix; by default that of --config, or ptuning',
      ).choices(PRESET_NAMES),
    )
    .addOption(
      new Option(
        '--method <name>',
        'what is trained; by default what the preset, or --config, is for',
      ).choices(METHODS),
    )
    .option('--config <file>', 'settings in YAML, by the official names or as in ptuning_v2.yaml')
    .option('--prefix-length <rows>', 'rows of the prefix', wholeNumber(1))
    .option('--prefix-projection', 'train two layers between the rows and the model, too')
    .option('--rank <numbers>', 'of LoRA: numbers between the two factors', wholeNumber(1))
    .option('--alpha <number>', 'of LoRA: its terms are multiplied by alpha / rank', above0)
    .option('--rslora', 'of LoRA: alpha / sqrt(rank) instead')
    .option('--lora-dropout <share>', 'of LoRA: how much of what goes into the factors is dropped', share)
    .option(
      '--target-modules <names>',
      'of LoRA: query_key_value, dense, dense_h_to_4h, dense_4h_to_h, with commas, or all',
      moduleList,
    )
    .option('--learning-rate <rate>', 'the highest learning rate', above0)
    .addOption(new Option('--schedule <name>', 'how the learning rate goes down').choices(SCHEDULES))
    .option('--warmup-steps <steps>', 'steps over which the learning rate rises', wholeNumber(0))
    .option('--batch-size <samples>', 'samples of a micro-batch', wholeNumber(1))
    .option('--accumulation-steps <count>', 'micro-batches of a step', wholeNumber(1))
    .option('--max-steps <steps>', 'steps in all', wholeNumber(1))
    .option('--save-interval <steps>', 'steps between checkpoints', wholeNumber(1))
    .option('--log-interval <steps>', 'steps between entries of the log', wholeNumber(1))
    .option('--evaluation-interval <steps>', 'steps between evaluations', wholeNumber(1))
    .option(
      '--early-stopping <evaluations>',
      'end after so many without a lower loss, with the best prefix',
      wholeNumber(0),
    )
    .option('--seed <number>', 'of initial values, order and dropout', wholeNumber(0, 2 ** 32 - 1))
    .option('--max-source-length <tokens>', 'tokens of a prompt, for pairs', wholeNumber(1))
    .option('--max-target-length <tokens>', 'tokens of a response, for pairs', wholeNumber(1))
    .option('--max-length <tokens>', 'tokens of a conversation', wholeNumber(2))
}

const above0 = number((value) => value > 0, 'a number above 0')
const share = number((value) => value >= 0 && value < 1, 'a number from 0 to below 1')
const MODULES = ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h']

/** @throws UsageError for other modules */
function moduleList(text: string): readonly string[] {
  if (text === 'all') return MODULES
  const list = text.split(',').map((module) => module.trim())
  const unknown = list.find((module) => !MODULES.includes(module))
  if (unknown === undefined) return list
  throw new UsageError(`--target-modules ${text}: "${unknown}" is none of ${MODULES.join(', ')}, all.`)
}

/** How to train, and what. */
export type ResolvedSettings = Rest &
  (
    | (Preset & { readonly subject: 'prefix' })
    | (LoraPreset & { readonly subject: 'lora' })
    | (ModelPreset & { readonly subject: 'model' })
  )

/** What a file of settings says besides. */
type Rest = Pick<SettingsFile, 'unused' | 'relative'>

/** The preset, what the file says, and what the options say, in this order. */
export async function resolveSettings(library: Library, flags: SettingsFlags): Promise<ResolvedSettings> {
  const { config } = flags
  const text = config === undefined ? undefined : await readText(library, config)
  const method = methodOf(library, flags, text)
  const file = { text: text ?? '', name: config ?? '' }
  if (method === 'full') {
    const { preset, ...rest } =
      text === undefined
        ? { preset: library.SFT, unused: [], relative: {} }
        : await library.parseModelSettings(file.text, file.name)
    return { subject: 'model', ...withFlags(preset, flags), ...withoutSteps(rest, flags) }
  }
  if (method === 'lora') {
    const { preset, ...rest } =
      text === undefined
        ? { preset: library.LORA, unused: [], relative: {} }
        : await library.parseLoraSettings(file.text, file.name)
    return { subject: 'lora', ...withFlags(preset, flags), ...withoutSteps(rest, flags) }
  }
  const name = flags.preset as PresetName | undefined
  const { preset, ...rest } =
    text === undefined
      ? { preset: library.PRESETS[name ?? 'ptuning'] as Preset, unused: [], relative: {} }
      : await library.parseSettings(file.text, file.name, name)
  return { subject: 'prefix', ...withFlags(preset, flags), ...withoutSteps(rest, flags) }
}

/** What is trained. @throws UsageError where preset and method are of different things */
function methodOf(library: Library, { preset, method }: SettingsFlags, text: string | undefined): Method {
  const ofPreset = preset === ALL_WEIGHTS ? 'full' : preset === LORA ? 'lora' : preset && 'prefix'
  if (method && ofPreset && method !== ofPreset) {
    throw new UsageError(`--preset ${preset} is a recipe of --method ${ofPreset}, not of ${method}.`)
  }
  return method ?? ofPreset ?? (text !== undefined && library.isOfLora(text) ? 'lora' : 'prefix')
}

/** What options say counts more than what would follow from the data. */
function withoutSteps({ unused, relative }: Rest, flags: SettingsFlags): Rest {
  const { epochs, warmupRatio, everyEpoch = [] } = relative
  return {
    unused,
    relative: {
      ...(epochs !== undefined && flags.maxSteps === undefined && { epochs }),
      ...(warmupRatio !== undefined && flags.warmupSteps === undefined && { warmupRatio }),
      everyEpoch: everyEpoch.filter((interval) => flags[interval] === undefined),
    },
  }
}

function withFlags<Given extends ModelPreset>({ data, training }: Given, flags: SettingsFlags) {
  const given = Object.keys(training).flatMap((name) => {
    const value =
      name === 'dropout' && 'rank' in training ? flags.loraDropout : flags[name as keyof SettingFlags]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    data: dataSettings(data, flags),
    training: { ...training, ...Object.fromEntries(given) } as Given['training'],
  }
}

function dataSettings(data: DataSettings, flags: SettingsFlags): DataSettings {
  const { maxSourceLength, maxTargetLength, maxLength } = flags
  if (data.format === 'input-output') {
    if (maxLength !== undefined) {
      throw new UsageError(
        '--max-length is for conversations; for pairs: --max-source-length and --max-target-length.',
      )
    }
    return {
      ...data,
      maxSourceLength: maxSourceLength ?? data.maxSourceLength,
      maxTargetLength: maxTargetLength ?? data.maxTargetLength,
    }
  }
  if (maxSourceLength !== undefined || maxTargetLength !== undefined) {
    throw new UsageError(
      '--max-source-length and --max-target-length are for pairs; for conversations: --max-length.',
    )
  }
  return { ...data, maxLength: maxLength ?? data.maxLength }
}
