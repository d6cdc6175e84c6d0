import { DATASET, type EvaluationData, type TrainingSample } from '../data/index.js'
import type { Model, ScoredToken } from '../runtime/generate/index.js'
import type { AdapterHandle } from '../runtime/model/index.js'
import {
  signal as abortSignal,
  anObject,
  callback,
  checkArgument,
  checkOptions,
  flag,
  listOf,
  type OptionShape,
  wholeNumber,
  withMethods,
  z,
} from '../schema/index.js'
import { loadJieba, meanScores, type Scores, scoreAnswer } from './metrics/scores.js'

export interface EvaluationOptions {
  /** A P-Tuning v2 prefix. Default: none. */
  readonly prefix?: AdapterHandle
  /** Whether to let the model answer, for BLEU and ROUGE; without, only the loss is computed. Default true. */
  readonly answers?: boolean
  /** Questions asked side by side, up to what the model was loaded for. Default 1. */
  readonly batchSize?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: EvaluationProgress) => void
}

export interface EvaluationProgress {
  readonly stage: 'loss' | 'answers'
  readonly done: number
  readonly total: number
}

export interface Evaluation {
  /** Cross entropy in nats, mean over the targets of all samples. */
  readonly loss: number
  /** e to the loss. */
  readonly perplexity: number
  /** Tokens that were predicted for it. */
  readonly targets: number
  /** Undefined where no answers were wanted. */
  readonly scores: Scores | undefined
  /** What was answered, most likely token by most likely token, and what should have been. */
  readonly answers: readonly { readonly answer: string; readonly reference: string }[]
}

const MODEL = withMethods(['scores', 'generateBatch'], 'a model')
const DATA = z.object(
  {
    dataset: DATASET,
    questions: listOf(anObject, 'a list of questions'),
    maxAnswerLength: wholeNumber(1),
  },
  { error: 'the data of readEvaluationData' },
)
const EVALUATION_SHAPE: OptionShape<EvaluationOptions> = {
  prefix: anObject,
  answers: flag,
  batchSize: wholeNumber(1),
  signal: abortSignal,
  onProgress: callback,
}

/**
 * Evaluates a model, with or without a prefix: the loss on what it should say, and how close what it does say comes to
 * that (BLEU-4, ROUGE).
 * @throws as `scores` and `generateBatch` of the model
 */
export async function evaluate(
  model: Pick<Model, 'scores' | 'generateBatch'>,
  data: EvaluationData,
  options: EvaluationOptions = {},
): Promise<Evaluation> {
  checkArgument('model', MODEL, model)
  checkArgument('data', DATA, data)
  checkOptions(EVALUATION_SHAPE, options)
  const { dataset, questions, maxAnswerLength } = data
  const { prefix, answers: wanted = true, batchSize = 1, signal, onProgress } = options
  let sum = 0
  let targets = 0
  for (let index = 0; index < dataset.length; index++) {
    const sample = dataset.sample(index)
    const { tokens } = await model.scores(sample.ids, { prefix, signal })
    sum += summedLoss(tokens, sample)
    targets += dataset.targets(index)
    onProgress?.({ stage: 'loss', done: index + 1, total: dataset.length })
  }
  const answers: { answer: string; reference: string }[] = []
  while (wanted && answers.length < questions.length) {
    const group = questions.slice(answers.length, answers.length + batchSize)
    const generations = await model
      .generateBatch(
        group.map(({ prompt }) => prompt),
        { temperature: 0, maxTokens: maxAnswerLength, prefix, signal },
      )
      .result()
    answers.push(
      ...generations.map(({ text }, index) => ({ answer: text.trim(), reference: group[index].reference })),
    )
    onProgress?.({ stage: 'answers', done: answers.length, total: questions.length })
  }
  const loss = sum / targets
  return { loss, perplexity: Math.exp(loss), targets, scores: await scoresOf(answers), answers }
}

async function scoresOf(answers: Evaluation['answers']): Promise<Scores | undefined> {
  if (answers.length === 0) return undefined
  const cut = await loadJieba()
  return meanScores(answers.map(({ answer, reference }) => scoreAnswer(answer, reference, cut)))
}

/** Cross entropy of all targets of a sample, in nats. */
function summedLoss(tokens: readonly ScoredToken[], { labels }: TrainingSample): number {
  return tokens.reduce((sum, { logprob = 0 }, at) => (labels[at] < 0 ? sum : sum - logprob), 0)
}
