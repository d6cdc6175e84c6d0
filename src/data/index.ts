export { fromAdvertiseGen, fromToolAlpaca, toConversation } from './convert.js'
export {
  createDataset,
  type DataSettings,
  type DatasetHandle,
  type InputOutputSettings,
  type MultiTurnSettings,
  type ReadDatasetOptions,
  readDataset,
  TrainingDataset,
} from './dataset.js'
export { describe } from './describe.js'
export { type PreviewPart, previewSample } from './preview.js'
export { type EvaluationData, type EvaluationLimits, type Question, readEvaluationData } from './questions.js'
export { type DataLocation, type ReadOptions, readRecords } from './read-records.js'
export {
  type Conversation,
  type PromptResponse,
  parseRecord,
  type SourceRecord,
  type TextMessage,
  type ToolMessage,
  type TrainingMessage,
  type TrainingRecord,
} from './records.js'
export type { TrainingSample } from './training-sample.js'
