/**
 * Training of P-Tuning v2 prefixes and of whole small models, their data, and scores of what was trained.
 *
 * ```ts
 * const { data, training } = PRESETS.ptuning
 * const dataset = await readDataset('train.jsonl', model.tokenizer, data)
 * const { prefix } = await finetunePrefix(model, dataset, { ...training, output: 'output/ads' })
 * ```
 *
 * @packageDocumentation
 */
export {
  type Conversation,
  checkDataset,
  createDataset,
  type DataLocation,
  type DataSettings,
  type DatasetHandle,
  decodeText,
  type EvaluationData,
  type EvaluationLimits,
  fromAdvertiseGen,
  fromToolAlpaca,
  type InputOutputSettings,
  type MultiTurnSettings,
  type PreviewPart,
  type PromptResponse,
  parseQuestion,
  parseRawQuestion,
  previewSample,
  type Question,
  type ReadDatasetOptions,
  type ReadOptions,
  readDataset,
  readEvaluationData,
  readRecords,
  type SourceRecord,
  type TextEncodingName,
  type TextMessage,
  type ToolMessage,
  type TrainingDataset,
  type TrainingMessage,
  type TrainingRecord,
  type TrainingSample,
  toConversation,
} from './data/index.js'
export { TrainingError } from './errors/index.js'
export {
  type Evaluation,
  type EvaluationOptions,
  type EvaluationProgress,
  evaluate,
  type Scores,
} from './evaluate/index.js'
export {
  type FinetuneLoraOptions,
  type FinetuneLoraResult,
  type FinetuneModelOptions,
  type FinetuneOptions,
  type FinetuneResult,
  finetuneLora,
  finetuneModel,
  finetunePrefix,
  isOfLora,
  type LearningRateSchedule,
  LORA,
  type LogEntry,
  type LoraPreset,
  type LoraSettings,
  type ModelPreset,
  type OptimizationSettings,
  type PlannedMemory,
  PRESETS,
  type Preset,
  type PresetName,
  parseLoraSettings,
  parseModelSettings,
  parseSettings,
  planTrainingMemory,
  type RelativeSettings,
  type RunOptions,
  type SettingsFile,
  SFT,
  type StopReason,
  smoothLosses,
  type TrainingEvent,
  type TrainingOutcome,
  type TrainingSettings,
  withData,
} from './finetune/index.js'
export { mergeAdapter } from './runtime/convert/index.js'
