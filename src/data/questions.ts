import { checkArgument, checkOptions, type OptionShape, wholeNumber } from '../schema/index.js'
import { TOKENIZER, type Tokenizer } from '../tokenizer/index.js'
import { createDataset, type DataSettings, type TrainingDataset } from './dataset.js'
import { encodeTools, encodeTrainingMessage } from './encode.js'
import { parseRecord } from './parse-record.js'
import { type DataLocation, dataName, type ReadOptions, readRecords } from './read-records.js'
import { type Conversation, isConversation, type TrainingRecord } from './records.js'

/** How much of a record is evaluated. */
export interface EvaluationLimits {
  /** Tokens of a prompt. Default: 1024 for pairs, 256 for conversations, as in the official settings. */
  readonly maxSourceLength?: number
  /** Tokens of a response. Default: 128 for pairs, 512 for conversations. */
  readonly maxTargetLength?: number
  /** Records to read from the beginning of the file; the official evaluation reads 50. Default: all. */
  readonly maxRecords?: number
}

const LIMITS_SHAPE: OptionShape<EvaluationLimits> = {
  maxSourceLength: wholeNumber(1),
  maxTargetLength: wholeNumber(1),
  maxRecords: wholeNumber(1),
}

/** What the model is asked, and what it should answer. */
export interface Question {
  readonly prompt: readonly number[]
  readonly reference: string
}

/** Data to evaluate with: the same as samples, for the loss, and as questions. */
export interface EvaluationData {
  readonly dataset: TrainingDataset
  readonly questions: readonly Question[]
  /** The most tokens of an answer. */
  readonly maxAnswerLength: number
}

const DEFAULTS = {
  pairs: { source: 1024, target: 128 },
  conversations: { source: 256, target: 512 },
} as const

/**
 * Reads data to evaluate with, in either format of training data.
 * @throws `input.dataset` naming file and line, `source.not-found` or `source.failed` where the file cannot be read
 */
export async function readEvaluationData(
  location: DataLocation,
  tokenizer: Tokenizer,
  limits: EvaluationLimits = {},
  options: ReadOptions = {},
): Promise<EvaluationData> {
  checkArgument('tokenizer', TOKENIZER, tokenizer)
  checkOptions(LIMITS_SHAPE, limits)
  const { maxSourceLength, maxTargetLength, maxRecords = Number.POSITIVE_INFINITY } = limits
  const records: TrainingRecord[] = []
  for await (const source of readRecords(location, options)) {
    records.push(parseRecord(source))
    if (records.length >= maxRecords) break
  }
  const isTalk = records.length > 0 && isConversation(records[0])
  const defaults = isTalk ? DEFAULTS.conversations : DEFAULTS.pairs
  const source = maxSourceLength ?? defaults.source
  const target = maxTargetLength ?? defaults.target
  const settings: DataSettings = isTalk
    ? { format: 'multi-turn', maxLength: source + target + 1 }
    : { format: 'input-output', maxSourceLength: source, maxTargetLength: target }
  const dataset = await createDataset(records, tokenizer, settings, dataName(location))
  const questions = records.flatMap((record) =>
    isConversation(record)
      ? questionsOf(tokenizer, record, source, target)
      : {
          prompt: tokenizer.encodePrompt(record.prompt).slice(0, source),
          reference: tokenizer.decode(tokenizer.encode(record.response).slice(0, target)),
        },
  )
  return { dataset, questions, maxAnswerLength: target }
}

/**
 * A question for every answer of a conversation that begins before `source` tokens, as `process_batch_eval` of
 * `finetune_hf.py` makes them.
 */
function questionsOf(
  tokenizer: Tokenizer,
  { conversations, tools }: Conversation,
  source: number,
  target: number,
): Question[] {
  const { gMask, sop, assistant } = tokenizer.special
  const ids = [gMask, sop, ...encodeTools(tokenizer, tools)]
  const questions: Question[] = []
  for (const message of conversations) {
    if (ids.length >= source) break
    const pieces = encodeTrainingMessage(tokenizer, message)
    if (message.role === 'assistant') {
      const answer = pieces[0].ids.slice(1).slice(0, target)
      questions.push({
        prompt: [...ids.slice(0, source), assistant],
        reference: tokenizer.decode(answer).trim(),
      })
    }
    ids.push(...pieces.flatMap((piece) => piece.ids))
  }
  return questions
}
