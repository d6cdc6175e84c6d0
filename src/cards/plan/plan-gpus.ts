import type { SourceLocation } from '../../checkpoint/index.js'
import {
  type EstimateTrainingOptions,
  estimateTraining,
  type PlannedMemory,
  weightCount,
} from '../../finetune/index.js'
import { type EstimateMemoryOptions, estimateMemory } from '../../runtime/generate/index.js'
import { openModelCheckpoint, parseModelConfig } from '../../runtime/model/index.js'
import { signal as abortSignal, anObject, checkArgument, listOf, wholeNumber, z } from '../../schema/index.js'
import type { Card } from '../card.js'
import { unknownCard } from '../errors.js'
import { listGpus } from '../list-gpus.js'
import { type StageMemory, zeroStages } from './arithmetic.js'
import { type ExpectedSpeed, expectedSpeed } from './measured.js'

export interface PlanOptions extends EstimateMemoryOptions {
  /** The cards, by their numbers. Default: all that are visible. */
  readonly gpus?: readonly number[]
  readonly training?: EstimateTrainingOptions
  readonly signal?: AbortSignal
}

/** What is looked at before the sizes, which `estimateMemory` checks. */
const OPTIONS = z.object(
  {
    gpus: z.optional(listOf(wholeNumber(0), 'a list of cards by their numbers')),
    training: z.optional(anObject),
    signal: z.optional(abortSignal),
  },
  { error: 'an object' },
)

/** Whether and how well a card can take the whole model. */
export interface CardPlan {
  readonly card: Card
  /** Undefined where the system does not tell how much is free. */
  readonly fits: boolean | undefined
  /** Bytes left over; negative where they are missing. */
  readonly left: number | undefined
  readonly speed: ExpectedSpeed | undefined
}

export interface GpuPlan {
  readonly name: string
  /** Numbers in the model. */
  readonly weights: number
  /** What answering takes on each card, by purpose. */
  readonly answering: readonly PlannedMemory[]
  /** What training takes besides, on each card. */
  readonly training: readonly PlannedMemory[] | undefined
  /** All of it. */
  readonly total: number
  readonly cards: readonly CardPlan[]
  /** The textbook's sum for training all weights, and for what is trained here, on so many cards. */
  readonly arithmetic: {
    readonly gpus: number
    readonly all: readonly StageMemory[]
    readonly method: readonly StageMemory[] | undefined
  }
}

/**
 * What a model needs on GPUs, and which can take it, before anything is loaded: only headers and `config.json` are read.
 * @throws as `estimateMemory`, `adapter.card-unknown`, and what opening the checkpoint throws
 */
export async function planGpus(source: SourceLocation, options: PlanOptions = {}): Promise<GpuPlan> {
  checkArgument('options', OPTIONS, options)
  const { gpus, training: method, signal, ...sizes } = options
  const { config: stored, name } = await openModelCheckpoint(source, signal ? { signal } : {})
  const config = parseModelConfig(stored)
  const visible = await listGpus()
  const cards = (gpus ?? visible.map(({ index }) => index)).map((index) => {
    const card = visible.find((card) => card.index === index)
    if (!card) throw unknownCard(index, visible)
    return card
  })
  const estimate = estimateMemory(stored, sizes)
  const answering = (['weights', 'cache', 'activations'] as const).map((purpose) => ({
    purpose,
    bytes: estimate[purpose],
  }))
  const weights = weightCount(config)
  const training = method && estimateTraining(config, method)
  const total = [...answering, ...(training?.memory ?? [])].reduce((sum, { bytes }) => sum + bytes, 0)
  const count = Math.max(1, cards.length)
  const frozenBytes = estimate.weights / weights
  return {
    name,
    weights,
    answering,
    training: training?.memory,
    total,
    cards: cards.map((card) => {
      const left = card.memory && card.memory.free - total
      return {
        card,
        fits: left === undefined ? undefined : left >= 0,
        left,
        speed: expectedSpeed(card.name, estimate.weights),
      }
    }),
    arithmetic: {
      gpus: count,
      all: zeroStages({ weights, trained: weights }, count),
      method: training && zeroStages({ weights, trained: training.trained, frozenBytes }, count),
    },
  }
}
