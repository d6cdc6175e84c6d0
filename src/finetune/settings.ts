import { LORA_MODULES } from '../runtime/model/index.js'
import { flag, listOf, number, type OptionShape, oneOf, wholeNumber, z } from '../schema/index.js'

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

/** What the training of LoRA is made of. */
export interface LoraSettings extends OptimizationSettings {
  /** Numbers between the two factors of a matrix (`r`). */
  readonly rank: number
  /** The terms are multiplied by alpha / rank (`lora_alpha`). */
  readonly alpha: number
  /** Whether by alpha / sqrt(rank) instead (`use_rslora`). */
  readonly rslora: boolean
  /** Probability with which an element of what goes into the factors is dropped in training. */
  readonly dropout: number
  /** The matrices that get factors: `query_key_value`, `dense`, `dense_h_to_4h`, `dense_4h_to_h`. */
  readonly targetModules: readonly string[]
}

/** Settings that change nothing of what is learnt: a training may be continued with others. */
export const REPORTING_SETTINGS: readonly (keyof OptimizationSettings)[] = [
  'saveInterval',
  'logInterval',
  'evaluationInterval',
  'earlyStopping',
]

const positive = number((value) => Number.isFinite(value) && value > 0, 'a number above 0')
const notNegative = number((value) => Number.isFinite(value) && value >= 0, 'a number from 0 up')
const fraction = number((value) => value >= 0 && value < 1, 'a number from 0 to below 1')

/** What each setting takes. */
export const OPTIMIZATION_SHAPE: OptionShape<OptimizationSettings> = {
  learningRate: positive,
  schedule: oneOf(SCHEDULES),
  warmupSteps: wholeNumber(0),
  beta1: fraction,
  beta2: fraction,
  epsilon: positive,
  weightDecay: notNegative,
  maxGradientNorm: notNegative,
  batchSize: wholeNumber(1),
  accumulationSteps: wholeNumber(1),
  maxSteps: wholeNumber(1),
  saveInterval: wholeNumber(1),
  logInterval: wholeNumber(1),
  evaluationInterval: wholeNumber(1),
  earlyStopping: wholeNumber(0),
  seed: wholeNumber(0, 2 ** 32 - 1, 'a whole number below 2^32'),
}

export const TRAINING_SHAPE: OptionShape<TrainingSettings> = {
  ...OPTIMIZATION_SHAPE,
  prefixLength: wholeNumber(1, 2 ** 16),
  prefixProjection: flag,
  dropout: fraction,
}

const modules = listOf(
  oneOf([...LORA_MODULES.keys()]),
  `a list of modules: ${[...LORA_MODULES.keys()].join(', ')}`,
).check(z.minLength(1, { error: 'modules, at least one' }))

export const LORA_SHAPE: OptionShape<LoraSettings> = {
  ...OPTIMIZATION_SHAPE,
  rank: wholeNumber(1),
  alpha: positive,
  rslora: flag,
  dropout: fraction,
  targetModules: modules,
}

/**
 * The settings among the options of a training, with the defaults of those that are not given. The options are checked
 * before, so that nothing is left out in silence.
 */
export function settingsFrom<Settings extends OptimizationSettings>(
  defaults: Settings,
  given: Partial<Settings>,
): Settings {
  const known = Object.entries(given).filter(
    ([name, value]) => Object.hasOwn(defaults, name) && value !== undefined,
  )
  return { ...defaults, ...Object.fromEntries(known) }
}
