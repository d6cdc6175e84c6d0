export { fromAdvertiseGen, fromToolAlpaca, toConversation } from './convert.js'
export {
  checkDataset,
  createDataset,
  DATASET,
  type DataSettings,
  type DatasetHandle,
  type InputOutputSettings,
  type MultiTurnSettings,
  type ReadDatasetOptions,
  readDataset,
  TrainingDataset,
} from './dataset.js'
export { parseQuestion, parseRawQuestion } from './parse-question.js'
export { parseRecord } from './parse-record.js'
export { type PreviewPart, previewSample } from './preview.js'
export { type EvaluationData, type EvaluationLimits, type Question, readEvaluationData } from './questions.js'
export { type DataLocation, type ReadOptions, readRecords } from './read-records.js'
export type {
  Conversation,
  PromptResponse,
  SourceRecord,
  TextMessage,
  ToolMessage,
  TrainingMessage,
  TrainingRecord,
} from './records.js'
export { decodeText, ENCODINGS, type TextEncodingName } from './text.js'
export type { TrainingSample } from './training-sample.js'
