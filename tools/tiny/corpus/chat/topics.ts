import { expand, firstExpansion, lines } from '../../grammar.js'
import type { Random } from '../../random.js'
import type { Exchange, Language } from '../task.js'
import { EVERYDAY_TOPICS } from './topics-everyday.js'
import { SELF_TOPICS } from './topics-self.js'

type Templates = Readonly<Record<Language, readonly string[]>>

/** Something to talk about: ways to ask and ways to answer. */
export interface Topic {
  readonly name: string
  readonly questions: Templates
  readonly answers: Templates
}

/** Topics as text: `# name`, then templates of questions (`zh?`, `en?`) and of answers (`zh=`, `en=`). */
function parseTopics(text: string): Topic[] {
  const topics: Topic[] = []
  for (const line of lines(text)) {
    if (line.startsWith('# ')) {
      topics.push({ name: line.slice(2), questions: { zh: [], en: [] }, answers: { zh: [], en: [] } })
      continue
    }
    const match = /^(zh|en)([?=]) (.+)$/.exec(line)
    const topic = topics.at(-1)
    if (!match || !topic) throw new Error(`Not a line of a topic: ${line}`)
    const [, language, kind, template] = match
    const list = (kind === '?' ? topic.questions : topic.answers)[language as Language] as string[]
    list.push(template)
  }
  return topics
}

const selfTopics = parseTopics(SELF_TOPICS)
const everydayTopics = parseTopics(EVERYDAY_TOPICS)
export const TOPICS: readonly Topic[] = [...selfTopics, ...everydayTopics]

export function topic(name: string): Topic {
  const found = TOPICS.find((one) => one.name === name)
  if (!found) throw new Error(`No topic ${name}.`)
  return found
}

/** A question without the greeting before it, its capital and the sign at its end: what decides whether it is held out. */
function bare(question: string): string {
  const greeting = /^(你好|您好|嗨|哈喽|hello|hi there|hi|hey|good morning)[！，。!.,] ?/
  return question
    .toLowerCase()
    .replace(greeting, '')
    .replace(/[。！？.!?]$/, '')
}

/** The plainest wordings, with which users begin. They are never held out, and neither is what is short. */
const SHORT = 8
/** So often a question has its plainest wording. */
const PLAIN_SHARE = 0.15
const PLAIN = new Set(
  TOPICS.flatMap(({ questions }) => [...questions.zh, ...questions.en]).map((template) =>
    bare(firstExpansion(template)),
  ),
)

/** The key of a question that is not about a closed task; undefined for the plainest and shortest wordings. */
export function chatKey(question: string): string | undefined {
  const text = bare(question)
  return PLAIN.has(text) || text.length <= SHORT ? undefined : `chat:${text}`
}

/** A question about a topic in one language and its answer in the same or another. */
export function topicExchange(
  random: Random,
  { questions, answers }: Topic,
  language: Language,
  answerLanguage = language,
): Exchange {
  const template = random.pick(questions[language])
  const question = random.chance(PLAIN_SHARE) ? firstExpansion(template) : expand(template, random)
  const answer = expand(random.pick(answers[answerLanguage]), random)
  return { question, answer, key: chatKey(question), expectation: { kind: 'open' } }
}

/** Talk about the model more often than one topic among many would be. */
export function pickTopic(random: Random): Topic {
  return random.pick(random.chance(0.55) ? selfTopics : everydayTopics)
}
