import type { OptimizationSettings } from './settings.js'

/** An entry of the log, as Hugging Face's Trainer writes it. */
export type LogEntry =
  | {
      /** Mean over the steps since the entry before. */
      readonly loss: number
      readonly grad_norm: number
      /** Of the next step. */
      readonly learning_rate: number
      readonly epoch: number
      readonly step: number
    }
  | { readonly eval_loss: number; readonly epoch: number; readonly step: number }

/** How far a training has come: with the parameters and their moments, all that it needs to go on. */
export interface TrainingPosition {
  /** Updates taken. */
  readonly step: number
  /** Tokens that went through the model. */
  readonly tokens: number
  readonly log: readonly LogEntry[]
  /** Losses of the steps since the last entry of the log. */
  readonly unlogged: { readonly loss: number; readonly steps: number }
  /** The evaluation of the lowest loss. */
  readonly best: { readonly loss: number; readonly step: number } | null
  /** Evaluations since then. */
  readonly evaluationsSinceBest: number
}

export const BEGINNING: TrainingPosition = {
  step: 0,
  tokens: 0,
  log: [],
  unlogged: { loss: 0, steps: 0 },
  best: null,
  evaluationsSinceBest: 0,
}

/** `trainer_state.json` in the shape of Hugging Face's `TrainerState`, for tools that read it. */
export function trainerState(
  { step, log, best }: TrainingPosition,
  { maxSteps, accumulationSteps }: OptimizationSettings,
  batchesPerEpoch: number,
): Readonly<Record<string, unknown>> {
  return {
    best_metric: best?.loss ?? null,
    best_model_checkpoint: best ? checkpointName(best.step) : null,
    epoch: (step * accumulationSteps) / batchesPerEpoch,
    global_step: step,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: log,
    max_steps: maxSteps,
    num_train_epochs: Math.ceil((maxSteps * accumulationSteps) / batchesPerEpoch),
    total_flos: 0,
    trial_name: null,
    trial_params: null,
  }
}

export function checkpointName(step: number): string {
  return `checkpoint-${step}`
}
