import { expand } from '../../grammar.js'
import type { Random } from '../../random.js'
import type { Exchange, Language } from '../task.js'
import type { FactSheet } from './fact-sheet.js'
import { ENGLISH_FACTS } from './facts-en.js'
import { CHINESE_FACTS } from './facts-zh.js'
import { chatKey } from './topics.js'

const FACTS: Readonly<Record<Language, readonly FactSheet[]>> = { zh: CHINESE_FACTS, en: ENGLISH_FACTS }

const capitalized = (text: string) => text[0].toUpperCase() + text.slice(1)

/** A simple question with one answer. */
export function factExchange(random: Random, language: Language): Exchange {
  const { rows, questions, answer } = random.pick(FACTS[language])
  const [a, b, c = ''] = random.pick(rows)
  const question = capitalized(expand(random.pick(questions), random, { a, b, c }))
  const text = capitalized(expand(answer, random, { a, b, c }))
  return { question, answer: text, key: chatKey(question), expectation: { kind: 'open' } }
}
