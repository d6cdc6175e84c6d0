export { createPrefixTraining } from './engine/prefix-training.js'
export type {
  BatchOptions,
  ParameterState,
  PlannedMemory,
  PrefixTrainingOptions,
  SampleLoss,
  UpdateOptions,
} from './engine/training-engine.js'
export {
  type EstimateTrainingOptions,
  estimateTraining,
  type TrainingMethod,
  weightCount,
} from './estimate-training.js'
export { type FinetuneLoraOptions, type FinetuneLoraResult, finetuneLora } from './finetune-lora.js'
export { type FinetuneModelOptions, finetuneModel } from './finetune-model.js'
export { type FinetuneResult, finetunePrefix, planTrainingMemory } from './finetune-prefix.js'
export { ParallelTraining } from './parallel/parallel-training.js'
export { EngineWorker, type TrainingWorker } from './parallel/training-worker.js'
export {
  LORA,
  type LoraPreset,
  type ModelPreset,
  PRESETS,
  type Preset,
  type PresetName,
  SFT,
} from './presets.js'
export type { RunOptions, TrainingOutcome } from './run-training.js'
export type {
  LearningRateSchedule,
  LoraSettings,
  OptimizationSettings,
  TrainingSettings,
} from './settings.js'
export {
  isOfLora,
  parseLoraSettings,
  parseModelSettings,
  parseSettings,
  type RelativeSettings,
  type SettingsFile,
  withData,
} from './settings-file.js'
export { smoothLosses } from './smooth-losses.js'
export { type FinetuneOptions, resolveSettings, trainPrefix } from './train-prefix.js'
export type { LogEntry } from './trainer-state.js'
export type { StopReason, TrainingEvent } from './training-event.js'
