import { type Command, Option } from 'commander'
import type {
  DataSettings,
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

/** The preset of the training of all weights; the others are for prefixes. */
const ALL_WEIGHTS = 'sft'
const PRESET_NAMES: readonly (PresetName | typeof ALL_WEIGHTS)[] = [
  'ptuning',
  'ptuning-multiturn',
  'ptuning-v2',
  ALL_WEIGHTS,
]
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
export interface SettingsFlags extends Partial<SettingFlags> {
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
        'an official recipe: sft trains all weights, the others a prefix; by default the one that --config names, or ptuning',
      ).choices(PRESET_NAMES),
    )
    .option('--config <file>', 'settings in YAML, by the official names or as in ptuning_v2.yaml')
    .option('--prefix-length <rows>', 'rows of the prefix', wholeNumber(1))
    .option('--prefix-projection', 'train two layers between the rows and the model, too')
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

/** How to train, and what. */
export type ResolvedSettings = Rest &
  ((Preset & { readonly subject: 'prefix' }) | (ModelPreset & { readonly subject: 'model' }))

/** What a file of settings says besides. */
type Rest = Pick<SettingsFile, 'unused' | 'relative'>

/** The preset, what the file says, and what the options say, in this order. */
export async function resolveSettings(library: Library, flags: SettingsFlags): Promise<ResolvedSettings> {
  const { preset: name, config } = flags
  if (name === ALL_WEIGHTS) {
    const { preset, ...rest } =
      config === undefined
        ? { preset: library.SFT, unused: [], relative: {} }
        : await library.parseModelSettings(await readText(library, config), config)
    return { subject: 'model', ...withFlags(preset, flags), ...withoutSteps(rest, flags) }
  }
  const { preset, ...rest } =
    config === undefined
      ? { preset: library.PRESETS[name ?? 'ptuning'] as Preset, unused: [], relative: {} }
      : await library.parseSettings(await readText(library, config), config, name)
  return { subject: 'prefix', ...withFlags(preset, flags), ...withoutSteps(rest, flags) }
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
    const value = flags[name as keyof SettingFlags]
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
