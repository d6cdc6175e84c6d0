/** What goes wrong, by codes. */
export {
  AdapterError,
  BusyError,
  ChatGLMError,
  CheckpointError,
  createError,
  DeviceError,
  type ErrorExtras,
  hasCode,
  InputError,
  OptionError,
  SinkError,
  SourceError,
  StoreError,
  TrainingError,
} from './chatglm-error.js'
export { type CodeOf, ERROR_CODES, type ErrorCode, type ErrorEntry } from './codes.js'
export {
  contextOverflow,
  disposed,
  emptyTokens,
  invalidOption,
  invalidToken,
  nonFiniteOutput,
  tooManyWaiting,
} from './common.js'
export { describe } from './describe.js'
export type { DetailsOf } from './details.js'
export { ERROR_KINDS, type ErrorKind } from './kinds.js'
export { lookAt } from './look-at.js'
