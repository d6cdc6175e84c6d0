import type { AssistantMessage, PythonValue } from '../../../src/index.js'

/** How answers are sampled; null leaves a choice to the model. */
export interface Sampling {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  readonly repetitionPenalty: number
  readonly presencePenalty: number
  readonly frequencyPenalty: number
  readonly maxTokens: number | null
  readonly seed: number | null
}

/** A function that the model may call. */
export interface Tool {
  readonly id: string
  readonly name: string
  readonly description: string
  /** JSON schema of the arguments, as text. */
  readonly parameters: string
  /** The body of a JavaScript function of `args`; empty where the user answers by hand. */
  readonly body: string
  readonly enabled: boolean
}

/** A prefix by its name in the store, and how much it weighs, from 0 to 1. */
export interface PrefixChoice {
  readonly name: string | null
  readonly strength: number
}

export interface ConversationSettings {
  readonly system: string
  readonly sampling: Sampling
  readonly tools: readonly Tool[]
  readonly prefix: PrefixChoice
  /** Whether the question is continued as it is, as prefixes of prompt and response pairs expect. */
  readonly raw: boolean
}

/** A part of an answer, for the user. */
export type Segment =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'code'; readonly name: string; readonly code: string }
  | {
      readonly type: 'tool-call'
      readonly name: string
      readonly parameters: Readonly<Record<string, PythonValue>>
    }
  | {
      readonly type: 'invalid-tool-call'
      readonly name: string
      readonly content: string
      readonly problem: string
    }

/** Why an answer ended: `stop` by itself, `stopped` by the user, `failed` by the problem of that name. */
export type AnswerEnd = 'stop' | 'length' | 'context' | 'stopped' | 'failed'

/** What an answer took. */
export interface Measures {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly tokens: number
  readonly firstTokenSeconds: number
  readonly tokensPerSecond: number
}

export interface Question {
  readonly kind: 'question'
  readonly text: string
}

export interface Answer {
  readonly kind: 'answer'
  readonly segments: readonly Segment[]
  /** The same for the model. */
  readonly messages: readonly AssistantMessage[]
  /** Undefined while it is being written. */
  readonly end?: AnswerEnd
  /** What is kept of the error, where it failed. */
  readonly problem?: { readonly name: string; readonly message: string; readonly code?: string }
  readonly measures?: Measures
  readonly prefix: PrefixChoice
}

export interface Observation {
  readonly kind: 'observation'
  readonly tool: string
  readonly text: string
  /** Whether the tool's code gave it, or the user wrote it. */
  readonly by: 'code' | 'hand'
}

/** A turn of a conversation: a node of its tree. */
export interface Turn {
  readonly id: string
  readonly parent: string | null
  readonly content: Question | Answer | Observation
}

/** A tree of turns. What is shown is the path from its root to `current`. */
export interface Conversation {
  readonly id: string
  readonly title: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly settings: ConversationSettings
  /** In the order in which they were made. */
  readonly turns: readonly Turn[]
  readonly current: string | null
}
