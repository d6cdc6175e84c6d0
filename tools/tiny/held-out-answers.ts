import type { Model } from '../../src/runtime/generate/index.js'
import type { Message } from '../../src/tokenizer/index.js'
import { heldOutRecords } from './corpus/corpus.js'
import type { TaskName } from './corpus/task.js'
import { type EvaluatedTask, firstQuestion } from './evaluate-tasks.js'
import { PREFIX_TASKS, type PrefixTaskName } from './prefix-tasks/prefix-tasks.js'

/** A question that neither the model nor its prefixes were trained on. */
export interface HeldOutQuestion {
  readonly task: EvaluatedTask
  /** The prefix it is asked with. */
  readonly prefix: PrefixTaskName | null
  /** What decides that it is held out. */
  readonly key: string
  readonly messages: readonly Message[]
}

export interface HeldOutAnswer extends HeldOutQuestion {
  /** With the header of the role, as the model wrote it. */
  readonly answer: string
}

/** Questions of each task of the base: most of them have one right answer, which no rounding makes another. */
const QUESTIONS: Readonly<Record<TaskName, number>> = {
  chat: 2,
  arithmetic: 2,
  translation: 2,
  copy: 1,
  system: 2,
  tool: 1,
  repeat: 1,
}
const QUESTIONS_WITH_PREFIX = 2

/** The first held-out questions of each task, the same ones every time. */
export function heldOutQuestions(): HeldOutQuestion[] {
  const ofBase = Object.entries(QUESTIONS).flatMap(([name, count]) => {
    const task = name as TaskName
    return heldOutRecords(task, count).map(({ key, conversation }) => ({
      ...{ task, prefix: null, key: key ?? '', messages: firstQuestion({ conversation }) },
    }))
  })
  const ofPrefixes = PREFIX_TASKS.flatMap(({ name, heldOutRecords }) =>
    heldOutRecords(QUESTIONS_WITH_PREFIX).map(({ key, conversation }) => ({
      ...{ task: name, prefix: name, key, messages: firstQuestion({ conversation }) },
    })),
  )
  return [...ofBase, ...ofPrefixes]
}

/** Answers one after another, always with the likeliest token. @param folder holds the prefixes, each by its name */
export async function answerHeldOut(model: Model, folder: string): Promise<HeldOutAnswer[]> {
  const prefixes = new Map<string | null, Awaited<ReturnType<Model['loadPrefix']>>>()
  for (const { name } of PREFIX_TASKS)
    prefixes.set(name, await model.loadPrefix(`${folder}/prefixes/${name}`))
  const answers: HeldOutAnswer[] = []
  for (const question of heldOutQuestions()) {
    const { messages, prefix } = question
    const options = { temperature: 0, prefix: prefixes.get(prefix) }
    const { generation } = await model.chat(messages, options).result()
    answers.push({ ...question, answer: generation.text })
  }
  return answers
}
