export { fromAdvertiseGen, fromToolAlpaca, toConversation } from '../data/convert.js'
export {
  createDataset,
  type DataSettings,
  type DatasetHandle,
  type InputOutputSettings,
  type MultiTurnSettings,
  type ReadDatasetOptions,
  readDataset,
  type TrainingDataset,
} from '../data/dataset.js'
export { type PreviewPart, previewSample } from '../data/preview.js'
export {
  type EvaluationData,
  type EvaluationLimits,
  type Question,
  readEvaluationData,
} from '../data/questions.js'
export { type DataLocation, type ReadOptions, readRecords } from '../data/read-records.js'
export {
  type Conversation,
  isConversation,
  type PromptResponse,
  parseRecord,
  type SourceRecord,
  type TextMessage,
  type ToolMessage,
  type TrainingMessage,
  type TrainingRecord,
} from '../data/records.js'
export {
  type EvaluatedModel,
  type Evaluation,
  type EvaluationOptions,
  type EvaluationProgress,
  evaluate,
} from '../evaluate/evaluate.js'
export type { Scores } from '../evaluate/metrics/scores.js'
export {
  NonFiniteLossError,
  TrainingSampleError,
  TrainingStateError,
  UntrainableModelError,
} from './engine/errors.js'
export type { PlannedMemory, TrainingSample } from './engine/training-engine.js'
export {
  DatasetError,
  TrainingResumeError,
  TrainingSettingsError,
  TrainingStoppedError,
} from './errors.js'
export { type FinetuneModelOptions, finetuneModel } from './finetune-model.js'
export { type FinetuneResult, finetunePrefix, planTrainingMemory } from './finetune-prefix.js'
export { type ModelPreset, PRESETS, type Preset, type PresetName, SFT } from './presets.js'
export type { RunOptions, TrainingOutcome } from './run-training.js'
export type { LearningRateSchedule, OptimizationSettings, TrainingSettings } from './settings.js'
export {
  parseModelSettings,
  parseSettings,
  type SettingsFile,
} from './settings-file.js'
export { smoothLosses } from './smooth-losses.js'
export type { FinetuneOptions } from './train-prefix.js'
export type { LogEntry } from './trainer-state.js'
export type { StopReason, TrainingEvent } from './training-event.js'
