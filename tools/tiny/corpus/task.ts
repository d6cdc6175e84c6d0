import type { Conversation } from '../../../src/data/index.js'
import type { PythonValue } from '../../../src/tokenizer/index.js'
import { hashText, type Random } from '../random.js'

export const TASKS = ['chat', 'arithmetic', 'translation', 'copy', 'system', 'tool', 'repeat'] as const
export type TaskName = (typeof TASKS)[number]

export type Language = 'zh' | 'en'

/** What a system message demands of an answer, as far as a program can check it. */
export type Instruction =
  | { readonly sort: 'name' | 'role'; readonly text: string }
  | { readonly sort: 'ending' | 'beginning'; readonly text: string }
  | { readonly sort: 'language'; readonly language: Language }
  | { readonly sort: 'yes-no'; readonly text: string }

/** What the last answer of a conversation must be. */
export type Expectation =
  | { readonly kind: 'open' }
  | { readonly kind: 'answer'; readonly text: string; readonly number?: number }
  | { readonly kind: 'attributes'; readonly values: readonly string[] }
  | { readonly kind: 'instructions'; readonly instructions: readonly Instruction[] }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly parameters: Readonly<Record<string, PythonValue>>
    }
  | { readonly kind: 'json'; readonly value: Readonly<Record<string, string | readonly string[]>> }
  | { readonly kind: 'poem'; readonly lines: number; readonly length: number }

/** A conversation that a task made. */
export interface Draft {
  readonly conversation: Conversation
  readonly expectation: Expectation
  /** What decides whether the last question is held out; undefined: it never is. */
  readonly key: string | undefined
  /** The keys of everything else that the conversation asks. */
  readonly otherKeys: readonly string[]
}

/** A question and its answer, to stand alone or in a longer conversation. */
export interface Exchange {
  readonly question: string
  readonly answer: string
  readonly key: string | undefined
  readonly expectation: Expectation
}

export interface Task {
  readonly name: TaskName
  draft(random: Random): Draft
}

/** Of a thousand keys so many are held out. */
const HELD_OUT_OF_THOUSAND: Readonly<Record<TaskName, number>> = {
  chat: 30,
  arithmetic: 100,
  translation: 50,
  copy: 30,
  system: 50,
  tool: 100,
  repeat: 30,
}

/** Whether a key, `task:...`, is kept out of the training text. The key alone decides. */
export function isHeldOut(key: string): boolean {
  const task = key.slice(0, key.indexOf(':')) as TaskName
  return hashText(key) % 1000 < HELD_OUT_OF_THOUSAND[task]
}

/** A conversation of one question. */
export function draftOf({ question, answer, key, expectation }: Exchange): Draft {
  return {
    conversation: {
      conversations: [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
      ],
    },
    expectation,
    key,
    otherKeys: [],
  }
}
