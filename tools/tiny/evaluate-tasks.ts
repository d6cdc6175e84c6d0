import { type Conversation, createDataset } from '../../src/data/index.js'
import { evaluate } from '../../src/evaluate/index.js'
import type { LocalModel } from '../../src/runtime/generate/index.js'
import type { AdapterHandle } from '../../src/runtime/model/index.js'
import { formatToolCall, type Message, pythonJson, TOOLS_SYSTEM_PROMPT } from '../../src/tokenizer/index.js'
import { checkAnswer, endsWithNumber } from './check-answer.js'
import { heldOutRecords } from './corpus/corpus.js'
import { type Expectation, TASKS, type TaskName } from './corpus/task.js'
import { PREFIX_TASKS, type PrefixTaskName } from './prefix-tasks/prefix-tasks.js'

export type EvaluatedTask = TaskName | PrefixTaskName

export const EVALUATED_TASKS: readonly EvaluatedTask[] = [...TASKS, ...PREFIX_TASKS.map(({ name }) => name)]

export interface TaskEvaluationOptions {
  /** Which tasks. Default: those of the base and those of the prefixes. */
  readonly tasks?: readonly EvaluatedTask[]
  /** Held-out conversations of each task. Default 200. */
  readonly samples?: number
  readonly prefix?: AdapterHandle
  /** Questions asked side by side, up to what the model was loaded for. Default 1. */
  readonly batchSize?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { task: EvaluatedTask; done: number; total: number }) => void
}

/** An answer, taken greedily. */
export interface JudgedAnswer {
  /** The last thing that the user said. */
  readonly question: string
  /** What the model wrote, without the header of its role. */
  readonly answer: string
  /** What the corpus has in its place; where a question is open, one answer of many. */
  readonly reference: string
  /** Undefined where a question is open. */
  readonly isRight: boolean | undefined
}

export interface TaskEvaluation {
  readonly task: EvaluatedTask
  readonly samples: number
  /** Cross entropy in nats, mean over all tokens that the model should have said. */
  readonly loss: number
  /** Answers that a program can judge. */
  readonly judged: number
  /** Of them the share that is right in all; undefined if there are none. See `checkAnswer`. */
  readonly exact: number | undefined
  /** Mean share that is right: attributes mentioned, instructions followed; otherwise as `exact`. */
  readonly score: number | undefined
  /** Of each sort of instruction the share that is followed; of arithmetic (`number`) whether the number is right. */
  readonly details: Readonly<Record<string, number>>
  /** Of calls of tools: the share of final answers, after the true observation, that are the very text. */
  readonly exactAfterCall: number | undefined
  readonly answers: readonly JudgedAnswer[]
}

interface Sample {
  readonly conversation: Conversation
  readonly expectation: Expectation
}

/** What an evaluation needs of a model. */
export type JudgedModel = Pick<LocalModel, 'generateBatch' | 'scores' | 'tokenizer'>

const MAX_ANSWER = 160
const MAX_LENGTH = 2048

/**
 * Asks a model what it was not trained on, task by task, and judges its answers; takes its loss on the same
 * conversations.
 * @throws as `scores` and `generateBatch` of the model
 */
export async function evaluateTasks(
  model: JudgedModel,
  { tasks = EVALUATED_TASKS, samples = 200, ...options }: TaskEvaluationOptions = {},
): Promise<TaskEvaluation[]> {
  const evaluations: TaskEvaluation[] = []
  for (const task of tasks) {
    evaluations.push(await evaluateTask(model, task, samplesOf(task, samples), options))
  }
  return evaluations
}

function samplesOf(task: EvaluatedTask, count: number): readonly Sample[] {
  const prefixTask = PREFIX_TASKS.find(({ name }) => name === task)
  return prefixTask ? prefixTask.heldOutRecords(count) : heldOutRecords(task as TaskName, count)
}

type Options = Omit<TaskEvaluationOptions, 'tasks' | 'samples'>

async function evaluateTask(
  model: JudgedModel,
  task: EvaluatedTask,
  samples: readonly Sample[],
  options: Options,
): Promise<TaskEvaluation> {
  const { prefix, signal, onProgress } = options
  const dataset = await createDataset(
    samples.map(({ conversation }) => conversation),
    model.tokenizer,
    { format: 'multi-turn', maxLength: MAX_LENGTH },
    `held-out ${task}`,
  )
  const data = { dataset, questions: [], maxAnswerLength: MAX_ANSWER }
  const { loss } = await evaluate(model, data, { prefix, signal, answers: false })

  const outputs = await answer(model, samples.map(firstQuestion), options, (done) =>
    onProgress?.({ task, done, total: samples.length }),
  )
  const tally = new Tally()
  const answers = samples.map((sample, index) => tally.judge(sample, outputs[index]))

  const calls = samples.filter(({ expectation }) => expectation.kind === 'call')
  const finals = await answer(model, calls.map(finalQuestion), options)
  const exactAfterCall = mean(
    calls.map(
      (sample, index) => +checkAnswer({ kind: 'answer', text: lastText(sample) }, finals[index]).isRight,
    ),
  )
  return { task, samples: samples.length, loss, ...tally.result(), exactAfterCall, answers }
}

/** Answers greedily, a group after another. */
async function answer(
  model: JudgedModel,
  prompts: readonly (readonly Message[])[],
  { prefix, signal, batchSize = 1 }: Options,
  onProgress?: (done: number) => void,
): Promise<string[]> {
  const texts: string[] = []
  while (texts.length < prompts.length) {
    const group = prompts.slice(texts.length, texts.length + batchSize)
    const generations = await model
      .generateBatch(group, { temperature: 0, maxTokens: MAX_ANSWER, prefix, signal })
      .result()
    texts.push(...generations.map(({ text }) => text))
    onProgress?.(texts.length)
  }
  return texts
}

/** Sums up verdicts. */
class Tally {
  readonly #verdicts: { readonly isRight: boolean; readonly score: number }[] = []
  readonly #details = new Map<string, number[]>()

  judge(sample: Sample, output: string): JudgedAnswer {
    const { expectation } = sample
    const judged = { question: lastQuestion(sample), answer: output.trim(), reference: reference(sample) }
    if (expectation.kind === 'open') return { ...judged, isRight: undefined }
    const found = checkAnswer(expectation, output)
    this.#verdicts.push(found)
    if (expectation.kind === 'answer' && expectation.number !== undefined) {
      this.#note('number', endsWithNumber(output, expectation.number))
    }
    if (expectation.kind === 'instructions') {
      for (const instruction of expectation.instructions) {
        const alone = { kind: 'instructions', instructions: [instruction] } as const
        this.#note(instruction.sort, checkAnswer(alone, output).isRight)
      }
    }
    return { ...judged, isRight: found.isRight }
  }

  result(): Pick<TaskEvaluation, 'judged' | 'exact' | 'score' | 'details'> {
    return {
      judged: this.#verdicts.length,
      exact: mean(this.#verdicts.map(({ isRight }) => +isRight)),
      score: mean(this.#verdicts.map(({ score }) => score)),
      details: Object.fromEntries([...this.#details].map(([name, values]) => [name, mean(values)!])),
    }
  }

  #note(name: string, isRight: boolean): void {
    this.#details.set(name, [...(this.#details.get(name) ?? []), +isRight])
  }
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The conversation up to the last thing that the user said, with its tools. */
export function firstQuestion({ conversation }: Pick<Sample, 'conversation'>): Message[] {
  const last = conversation.conversations.findLastIndex(({ role }) => role === 'user')
  return toMessages(conversation, last + 1)
}

/** The conversation up to its last answer: after a call and its observation. */
function finalQuestion({ conversation }: Sample): Message[] {
  return toMessages(conversation, conversation.conversations.length - 1)
}

/** The first messages of a record as one passes them to a model. */
export function toMessages({ tools, conversations }: Conversation, count: number): Message[] {
  const messages: Message[] = tools ? [{ role: 'system', content: TOOLS_SYSTEM_PROMPT, tools }] : []
  for (const message of conversations.slice(0, count)) {
    if (message.role !== 'tool') messages.push({ role: message.role, content: message.content })
    else {
      const content = `\`\`\`python\n${formatToolCall(message.parameters)}\n\`\`\``
      messages.push({ role: 'assistant', metadata: message.name, content })
      messages.push({ role: 'observation', content: pythonJson(message.observation) })
    }
  }
  return messages
}

function lastQuestion({ conversation }: Sample): string {
  const message = conversation.conversations.findLast(({ role }) => role === 'user')
  return message && message.role !== 'tool' ? message.content : ''
}

function lastText({ conversation }: Sample): string {
  const message = conversation.conversations.at(-1)
  return message && message.role !== 'tool' ? message.content : ''
}

function reference(sample: Sample): string {
  const { expectation } = sample
  if (expectation.kind !== 'call') return lastText(sample)
  return `${expectation.name}\n${formatToolCall(expectation.parameters)}`
}
