import type { DataSettings } from '../data/index.js'
import { describe, OptionError } from '../errors/index.js'
import { LORA_MODULES } from '../runtime/model/index.js'
import {
  checkArgument,
  checkOptions,
  findRefusal,
  listOf,
  number,
  type OptionShape,
  oneOf,
  text as textSchema,
  wholeNumber,
  z,
} from '../schema/index.js'
import {
  LORA,
  type LoraPreset,
  type ModelPreset,
  PRESETS,
  type Preset,
  type PresetName,
  SFT,
} from './presets.js'
import {
  LORA_SHAPE,
  type LoraSettings,
  type OptimizationSettings,
  TRAINING_SHAPE,
  type TrainingSettings,
} from './settings.js'
import {
  FIXED,
  FIXED_OF,
  LENGTH_NAMES,
  type Length,
  type Lengths,
  LORA_NAMES,
  PREFIX_SETTINGS,
  REFUSED,
  RELATIVE_NAMES,
  SCHEDULE_NAMES,
  SECTIONS,
  STRATEGIES,
  TRAINING_NAMES,
  UNUSED,
} from './settings-names.js'

/** The official files have 2 kB. The YAML reader takes the square of the number of names. */
const MAX_LENGTH = 64 * 1024

/** What a file of settings says. */
export interface SettingsFile<Settings = Preset> {
  readonly preset: Settings
  /** Names in it that have no meaning here. */
  readonly unused: readonly string[]
  /** What depends on the data: see `withData`. */
  readonly relative: RelativeSettings
}

/** Settings that become steps only where it is known how many samples there are. */
export interface RelativeSettings {
  /** How often to go through the data; it counts where the file gives no steps. */
  readonly epochs?: number
  /** Steps over which the learning rate rises, as a share of all. */
  readonly warmupRatio?: number
  /** Intervals that last an epoch. */
  readonly everyEpoch?: readonly ('saveInterval' | 'logInterval' | 'evaluationInterval')[]
}

const INTERVALS = ['saveInterval', 'logInterval', 'evaluationInterval'] as const
const RELATIVE_SHAPE: OptionShape<RelativeSettings> = {
  epochs: number((value) => value > 0 && value <= 1e6, 'a number of epochs above 0'),
  warmupRatio: number((value) => value >= 0 && value <= 1, 'a share from 0 to 1'),
  everyEpoch: listOf(oneOf(INTERVALS), 'a list of intervals'),
}
/** What epochs are counted by. */
const COUNTED = z.object(
  { batchSize: wholeNumber(1), accumulationSteps: wholeNumber(1) },
  { error: 'settings of a training' },
)

/**
 * Settings with what follows from the number of samples, as Hugging Face's `Trainer` computes it: an epoch has
 * `ceil(ceil(samples / batchSize) / accumulationSteps)` steps.
 */
export function withData<Settings extends OptimizationSettings>(
  training: Settings,
  relative: RelativeSettings,
  samples: number,
): Settings {
  checkArgument('training', COUNTED, training)
  checkOptions(RELATIVE_SHAPE, relative)
  checkArgument('samples', wholeNumber(0), samples)
  const { epochs, warmupRatio, everyEpoch = [] } = relative
  const epoch = Math.max(1, Math.ceil(Math.ceil(samples / training.batchSize) / training.accumulationSteps))
  const maxSteps = epochs === undefined ? training.maxSteps : Math.max(1, Math.ceil(epochs * epoch))
  const warmupSteps = warmupRatio === undefined ? training.warmupSteps : Math.ceil(maxSteps * warmupRatio)
  const intervals = Object.fromEntries(everyEpoch.map((interval) => [interval, epoch]))
  return { ...training, maxSteps, warmupSteps, ...intervals }
}

/**
 * Reads settings in YAML, by the names of `finetune_pt.sh` (`PRE_SEQ_LEN`, `LR`, …), of its Python arguments, or in the
 * structure of `ptuning_v2.yaml`. What the file leaves out is as in the preset.
 * @param name what to call the file in an error
 * @param base the preset; by default the one whose lengths the file names
 * @throws `option.settings-file` naming the setting and what was expected
 */
export async function parseSettings(text: string, name: string, base?: PresetName): Promise<SettingsFile> {
  if (base !== undefined) checkArgument('base', oneOf(Object.keys(PRESETS)), base)
  const { content, training, lengths, unused, relative } = await readSettings(text, name)
  const preset: Preset = PRESETS[base ?? presetFor(content, lengths)]
  const data = withLengths(preset.data, lengths, name)
  return {
    preset: { data, training: { ...preset.training, ...training } as TrainingSettings },
    unused,
    relative,
  }
}

/**
 * The same for the training of all weights, in the structure of `sft.yaml`. What the file leaves out is as there.
 * @throws `option.settings-file`, also for settings that only a prefix has
 */
export async function parseModelSettings(text: string, name: string): Promise<SettingsFile<ModelPreset>> {
  const { training, paths, lengths, unused, relative } = await readSettings(text, name)
  for (const setting of PREFIX_SETTINGS) {
    const path = paths.get(setting)
    if (path === undefined) continue
    throw new OptionError(
      'option.settings-file',
      `${name}: ${path} is a setting of a prefix, but all weights are to be trained. Leave it out, or use a preset of prefixes.`,
    )
  }
  const data = withLengths(SFT.data, lengths, name)
  const preset = { data, training: { ...SFT.training, ...training } as ModelPreset['training'] }
  return { preset, unused, relative }
}

/**
 * The same for the training of LoRA, in the structure of `lora.yaml` or by the names of LLaMA-Factory. What the file leaves out is
 * as in the official one.
 * @throws `option.settings-file`
 */
export async function parseLoraSettings(text: string, name: string): Promise<SettingsFile<LoraPreset>> {
  const { training, lengths, unused, relative } = await readSettings(text, name, 'lora')
  const data = withLengths(LORA.data, lengths, name)
  const preset = { data, training: { ...LORA.training, ...training } as LoraSettings }
  return { preset, unused, relative }
}

/** Whether settings in YAML are of a training of LoRA, by what they say of it; a file that says nothing is not. */
export function isOfLora(text: string): boolean {
  checkArgument('text', textSchema, text)
  return /^\s*(peft_type:\s*["']?LORA|finetuning_type:\s*["']?lora)\b/m.test(text)
}

/** What is trained beside an adapter's rows or factors, by the settings that there are for it. */
type Trained = keyof typeof FIXED_OF
type SettingName = keyof TrainingSettings | keyof LoraSettings
const NAMES: Readonly<Record<Trained, Readonly<Record<string, SettingName>>>> = {
  prefix: TRAINING_NAMES,
  lora: LORA_NAMES,
}
const SHAPES = { ...LORA_SHAPE, ...TRAINING_SHAPE }

/** What a file says, before it is known what it leaves out. */
interface ReadSettings {
  readonly content: Mapping
  readonly training: Partial<Record<SettingName, unknown>>
  /** What the file calls each of them. */
  readonly paths: ReadonlyMap<SettingName, string>
  readonly lengths: Lengths
  readonly unused: readonly string[]
  readonly relative: RelativeSettings
}

async function readSettings(text: string, name: string, trained: Trained = 'prefix'): Promise<ReadSettings> {
  checkArgument('text', textSchema, text)
  checkArgument('name', textSchema, name)
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
  const reader = new SettingsReader(trained)
  const problems: string[] = []
  for (const setting of flatten(content, name)) {
    const problem = reader.take(setting)
    if (problem !== undefined) problems.push(problem)
  }
  if (problems.length > 0) throw refused(name, problems)
  return { content, ...reader.result() }
}

const SHOWN_PROBLEMS = 20

/** All that is wrong with a file, so that it is corrected in one go. */
function refused(name: string, problems: readonly string[]) {
  const [first, ...others] = problems
  const shown = problems.slice(0, SHOWN_PROBLEMS).map((problem) => `  ${problem}`)
  const more = problems.length > shown.length ? [`  and ${problems.length - shown.length} more`] : []
  return new OptionError(
    'option.settings-file',
    others.length === 0
      ? `${name}: ${first}`
      : [`${name}: ${problems.length} settings cannot be used:`, ...shown, ...more].join('\n'),
  )
}

interface Setting {
  readonly key: string
  readonly path: string
  readonly value: unknown
}

/** Takes the settings of a file one after another, and says what is wrong with one. */
class SettingsReader {
  readonly #training: Partial<Record<SettingName, unknown>> = {}
  readonly #paths = new Map<SettingName, string>()
  readonly #lengths: Lengths = {}
  readonly #unused: string[] = []
  readonly #relative: { epochs?: number; warmupRatio?: number } = {}
  readonly #everyEpoch: (typeof STRATEGIES)[string][] = []
  readonly #names: Readonly<Record<string, SettingName>>
  readonly #fixed: Readonly<Record<string, readonly unknown[]>>

  constructor(trained: Trained) {
    this.#names = NAMES[trained]
    this.#fixed = { ...FIXED, ...FIXED_OF[trained] }
  }

  /** @returns what is wrong with it; undefined where nothing is */
  take({ key, path, value }: Setting): string | undefined {
    if (Object.hasOwn(this.#names, key)) return this.#takeTraining(this.#names[key], path, value)
    if (Object.hasOwn(LENGTH_NAMES, key)) return this.#takeLength(LENGTH_NAMES[key], path, value)
    if (Object.hasOwn(STRATEGIES, key)) return this.#takeStrategy(key, path, value)
    if (Object.hasOwn(RELATIVE_NAMES, key)) return this.#takeRelative(RELATIVE_NAMES[key], path, value)
    if (Object.hasOwn(this.#fixed, key)) {
      const allowed = this.#fixed[key]
      if (allowed.includes(value)) return undefined
      return `${path} is ${describe(value)}; only ${allowed.join(' or ')} is supported.`
    }
    if (UNUSED.includes(key)) {
      this.#unused.push(path)
      return undefined
    }
    const advice = Object.hasOwn(REFUSED, key) ? ` ${REFUSED[key]}` : ''
    return `${path.slice(0, 100)} is no setting of a training that is supported here.${advice}`
  }

  result() {
    const { maxSteps } = this.#training
    const { epochs, ...others } = this.#relative
    // Steps say more than epochs, as in `Trainer`, whose -1 says nothing.
    const counted = maxSteps === undefined && epochs !== undefined ? { epochs } : {}
    const everyEpoch = this.#everyEpoch.length > 0 ? { everyEpoch: this.#everyEpoch } : {}
    return {
      training: this.#training,
      paths: this.#paths,
      lengths: this.#lengths,
      unused: this.#unused,
      relative: { ...counted, ...others, ...everyEpoch },
    }
  }

  #takeTraining(setting: SettingName, path: string, value: unknown): string | undefined {
    if (setting === 'maxSteps' && value === -1) return undefined
    this.#paths.set(setting, path)
    const read = readValue(setting, value)
    if (read.expected !== undefined) return `${path} is ${describe(value)}; expected ${read.expected}.`
    this.#training[setting] = read.value
    return undefined
  }

  #takeLength(length: keyof Lengths, path: string, value: unknown): string | undefined {
    const tokens = numberOf(value)
    if (tokens === undefined || !Number.isSafeInteger(tokens) || tokens < 1) {
      return `${path} is ${describe(value)}; expected a whole number of tokens from 1 up.`
    }
    this.#lengths[length] = { tokens, path }
    return undefined
  }

  #takeStrategy(key: string, path: string, value: unknown): string | undefined {
    if (value === 'epoch') this.#everyEpoch.push(STRATEGIES[key])
    const known = STRATEGIES[key] === 'evaluationInterval' ? ['steps', 'epoch', 'no'] : ['steps', 'epoch']
    if (known.includes(value as string)) return undefined
    return `${path} is ${describe(value)}; expected ${known.join(' or ')}.`
  }

  #takeRelative(name: 'epochs' | 'warmupRatio', path: string, value: unknown): string | undefined {
    const given = numberOf(value)
    const [low, high, expected] =
      name === 'epochs' ? [0, 1e6, 'a number of epochs above 0'] : [-1, 1, 'a share from 0 to 1']
    if (given === undefined || !(given > low && given <= high && given >= 0)) {
      return `${path} is ${describe(value)}; expected ${expected}.`
    }
    this.#relative[name] = given
    return undefined
  }
}

/** A number; programs write one in quotes, too, as some readers of YAML take `5e-5` for a text. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const isNumber = typeof value === 'string' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)
  return isNumber ? Number(value) : undefined
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

/** The value of a setting, or what was expected. */
type ReadValue = { readonly value: unknown; readonly expected?: undefined } | { readonly expected: string }

function readValue(setting: SettingName, value: unknown): ReadValue {
  if (setting === 'schedule') {
    const isKnown = typeof value === 'string' && Object.hasOwn(SCHEDULE_NAMES, value)
    if (isKnown) return { value: SCHEDULE_NAMES[value] }
    return { expected: `one of ${Object.keys(SCHEDULE_NAMES).join(', ')}` }
  }
  if (setting === 'targetModules') return readModules(value)
  const read = setting === 'prefixProjection' || setting === 'rslora' ? value : numberOf(value)
  const refusal = findRefusal(SHAPES[setting], read)
  if (!refusal) return { value: read }
  return { expected: read === undefined ? 'a number' : refusal.expected }
}

/** Modules as PEFT and LLaMA-Factory name them: a list, a text with commas, or all linear layers. */
function readModules(value: unknown): ReadValue {
  if (value === 'all' || value === 'all-linear') return { value: [...LORA_MODULES.keys()] }
  const list = typeof value === 'string' ? value.split(',').map((module) => module.trim()) : value
  const refusal = findRefusal(LORA_SHAPE.targetModules, list)
  return refusal ? { expected: `modules: ${[...LORA_MODULES.keys()].join(', ')}, or all` } : { value: list }
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
