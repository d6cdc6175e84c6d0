import type { PlannedMemory } from './engine/training-engine.js'

/** Why a training ended by itself. */
export type StopReason = 'completed' | 'early-stopping'

/** What a training reports on its way; plain data, so that a worker can post it. */
export type TrainingEvent =
  /** Everything is allocated, and the first step follows. */
  | {
      readonly type: 'start'
      /** Steps that a resumed training has behind it. */
      readonly step: number
      readonly maxSteps: number
      /** Numbers that are trained. */
      readonly parameters: number
      /** GPU memory that the training takes besides the model. */
      readonly memory: readonly PlannedMemory[]
      /** Checkpoints that were passed over because they are damaged. */
      readonly damaged: readonly string[]
    }
  /** A micro-batch went through. */
  | { readonly type: 'batch'; readonly step: number; readonly batch: number; readonly batches: number }
  /** An update was made. */
  | {
      readonly type: 'step'
      readonly step: number
      readonly maxSteps: number
      readonly epoch: number
      /** Mean over the micro-batches of this step, before the update. */
      readonly loss: number
      readonly learningRate: number
      /** Before clipping. */
      readonly gradientNorm: number
      readonly tokens: number
      readonly seconds: number
    }
  | { readonly type: 'evaluating'; readonly done: number; readonly samples: number }
  /** The loss on held-out data, mean over all targets. */
  | {
      readonly type: 'evaluation'
      readonly step: number
      readonly loss: number
      readonly perplexity: number
      /** Whether it is the lowest so far. */
      readonly best: boolean
    }
  | { readonly type: 'checkpoint'; readonly step: number; readonly name: string }
  /** A step is done once more, without a GPU that was lost. */
  | { readonly type: 'recovered'; readonly step: number; readonly why: string }
