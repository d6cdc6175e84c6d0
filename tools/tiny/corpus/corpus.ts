import type { Conversation } from '../../../src/data/index.js'
import { hashText, Random } from '../random.js'
import { arithmetic } from './arithmetic.js'
import { chat } from './chat/chat.js'
import { copy } from './copy.js'
import { repeat } from './repeat.js'
import { system } from './system.js'
import { type Draft, type Expectation, isHeldOut, type Task, type TaskName } from './task.js'
import { tool } from './tool.js'
import { translation } from './translation/translation.js'

const ALL: Readonly<Record<TaskName, Task>> = { chat, arithmetic, translation, copy, system, tool, repeat }

/** How often each task is drawn. */
export type TaskWeights = Readonly<Record<TaskName, number>>

export const DEFAULT_WEIGHTS: TaskWeights = {
  chat: 22,
  arithmetic: 28,
  translation: 22,
  copy: 10,
  system: 15,
  tool: 12,
  repeat: 14,
}

export interface CorpusRecord {
  readonly task: TaskName
  readonly conversation: Conversation
  readonly expectation: Expectation
  /** What decides whether the last question is held out; undefined: it never is. */
  readonly key: string | undefined
}

/**
 * Conversations to train on, one after another, the same for the same seed on every machine. None asks what is held
 * out.
 *
 * @param count how many; Infinity for an endless stream
 */
export function* trainingRecords(
  seed: number,
  count: number,
  weights: TaskWeights = DEFAULT_WEIGHTS,
): Generator<CorpusRecord> {
  const random = new Random(hashText(`training ${seed}`))
  const choices = Object.values(ALL).map((task) => [task, weights[task.name]] as const)
  for (let made = 0; made < count; made++) {
    const task = random.weighted(choices)
    yield recordOf(task, draftUntil(task, random, isForTraining))
  }
}

function isForTraining({ key, otherKeys }: Draft): boolean {
  return !(key !== undefined && isHeldOut(key)) && !otherKeys.some(isHeldOut)
}

function draftUntil(task: Task, random: Random, isWanted: (draft: Draft) => boolean): Draft {
  for (;;) {
    const draft = task.draft(random)
    if (isWanted(draft)) return draft
  }
}

const recordOf = ({ name }: Task, { conversation, expectation, key }: Draft): CorpusRecord => ({
  task: name,
  conversation,
  expectation,
  key,
})

/** Conversations of a task whose last question is held out; no prompt comes twice. Always the same ones. */
export function heldOutRecords(task: TaskName, count: number): CorpusRecord[] {
  const random = new Random(hashText(`held out ${task}`))
  const seen = new Set<string>()
  const records: CorpusRecord[] = []
  while (records.length < count) {
    const draft = draftUntil(ALL[task], random, ({ key }) => key !== undefined && isHeldOut(key))
    const prompt = lastPrompt(draft.conversation)
    if (seen.has(prompt)) continue
    seen.add(prompt)
    records.push(recordOf(ALL[task], draft))
  }
  return records
}

/** Everything before the answer to a question, for every question of a conversation: tools, system, history. */
export function promptsOf({ tools, conversations }: Conversation): string[] {
  return conversations.flatMap(({ role }, index) =>
    role === 'user' ? JSON.stringify([tools ?? null, conversations.slice(0, index + 1)]) : [],
  )
}

export function lastPrompt(conversation: Conversation): string {
  return promptsOf(conversation).at(-1)!
}
