export {
  type Evaluation,
  type EvaluationOptions,
  type EvaluationProgress,
  evaluate,
} from './evaluate.js'
export type { Scores } from './metrics/scores.js'
