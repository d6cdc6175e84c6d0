import { invalidOption } from '../errors/index.js'

export const SCHEDULES = ['linear', 'cosine', 'constant'] as const

/** How the learning rate goes down: to 0 on a line or half a cosine, or not at all. */
export type LearningRateSchedule = (typeof SCHEDULES)[number]

/** What every training is made of. Steps are updates of what is trained. */
export interface OptimizationSettings {
  readonly learningRate: number
  readonly schedule: LearningRateSchedule
  /** Steps over which the learning rate rises from 0. */
  readonly warmupSteps: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** A gradient of a larger norm is scaled down to it; 0: never. */
  readonly maxGradientNorm: number
  /** Samples of a micro-batch: its loss is the mean over all their targets. */
  readonly batchSize: number
  /** Micro-batches of a step; each weighs the same. */
  readonly accumulationSteps: number
  readonly maxSteps: number
  /** Steps between checkpoints. */
  readonly saveInterval: number
  /** Steps between entries of the log. */
  readonly logInterval: number
  /** Steps between evaluations, where there are data for it. */
  readonly evaluationInterval: number
  /** Evaluations without a lower loss after which the training ends; 0: never. */
  readonly earlyStopping: number
  /** Of the order of samples and, of a prefix, of initial values and dropout. */
  readonly seed: number
}

/** What the training of a prefix is made of. */
export interface TrainingSettings extends OptimizationSettings {
  /** Rows of the prefix (`pre_seq_len`). */
  readonly prefixLength: number
  /** Whether two layers lie between the trained rows and the model (`prefix_projection`). */
  readonly prefixProjection: boolean
  /** Probability with which an element of the prefix is dropped in training. */
  readonly dropout: number
}

/** Settings that change nothing of what is learnt: a training may be continued with others. */
export const REPORTING_SETTINGS: readonly (keyof OptimizationSettings)[] = [
  'saveInterval',
  'logInterval',
  'evaluationInterval',
  'earlyStopping',
]

type Rule = readonly [accepts: (value: number) => boolean, expected: string]

const whole = (least: number): Rule => [
  (value) => Number.isSafeInteger(value) && value >= least,
  `a whole number from ${least} up`,
]
const positive: Rule = [(value) => Number.isFinite(value) && value > 0, 'a number above 0']
const notNegative: Rule = [(value) => Number.isFinite(value) && value >= 0, 'a number from 0 up']
const fraction: Rule = [(value) => value >= 0 && value < 1, 'a number from 0 to below 1']

type Rules<Settings> = Readonly<Partial<Record<keyof Settings, Rule>>>

const RULES: Rules<OptimizationSettings> = {
  learningRate: positive,
  warmupSteps: whole(0),
  beta1: fraction,
  beta2: fraction,
  epsilon: positive,
  weightDecay: notNegative,
  maxGradientNorm: notNegative,
  batchSize: whole(1),
  accumulationSteps: whole(1),
  maxSteps: whole(1),
  saveInterval: whole(1),
  logInterval: whole(1),
  evaluationInterval: whole(1),
  earlyStopping: whole(0),
  seed: [(value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32, 'a whole number below 2^32'],
}

const PREFIX_RULES: Rules<TrainingSettings> = { prefixLength: whole(1), dropout: fraction }

function checkRules<Settings>(settings: Settings, rules: Rules<Settings>): void {
  for (const [name, [accepts, expected]] of Object.entries(rules) as [keyof Settings & string, Rule][]) {
    const value = settings[name]
    if (typeof value !== 'number' || !accepts(value)) throw invalidOption(name, value, expected)
  }
}

/** @throws `option.invalid` naming the setting */
export function checkSettings(settings: OptimizationSettings): void {
  checkRules(settings, RULES)
  const { schedule } = settings
  if (!SCHEDULES.includes(schedule)) {
    throw invalidOption('schedule', schedule, `one of ${SCHEDULES.join(', ')}`)
  }
}

/** @throws `option.invalid` naming the setting */
export function checkPrefixSettings(settings: TrainingSettings): void {
  checkRules(settings, PREFIX_RULES)
  checkSettings(settings)
  const { prefixProjection } = settings
  if (typeof prefixProjection !== 'boolean') {
    throw invalidOption('prefixProjection', prefixProjection, 'true or false')
  }
}

/**
 * Settings that are given, and the defaults of those that are not; what is no setting is left out.
 */
export function settingsFrom<Settings extends OptimizationSettings>(
  defaults: Settings,
  given: Partial<Settings>,
): Settings {
  const known = Object.entries(given).filter(([name, value]) => name in defaults && value !== undefined)
  return { ...defaults, ...Object.fromEntries(known) }
}
