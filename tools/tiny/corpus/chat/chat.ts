import { expand, lines } from '../../grammar.js'
import type { Random } from '../../random.js'
import { arithmeticExchange } from '../arithmetic.js'
import { type Draft, draftOf, type Exchange, type Language, type Task } from '../task.js'
import { translationExchange } from '../translation/translation.js'
import { factExchange } from './facts.js'
import { memoryExchanges } from './memory.js'
import { pickTopic, topicExchange, topic as topicNamed } from './topics.js'

/** Topics that are greetings themselves, or end a chat. */
const COURTESIES = ['greeting', 'morning', 'new year', 'thanks', 'farewell', 'praise']

const GREETINGS: Readonly<Record<Language, readonly string[]>> = {
  zh: lines(`
    (你好|您好|嗨|哈喽)(！|，|。)
  `),
  en: lines(`
    (Hello|Hi|Hey|Hi there|Good morning)(!|.|,)
  `),
}

/** Greets before it asks. The answer stays, and so does what decides whether the question is held out. */
function greeted(random: Random, language: Language, exchange: Exchange): Exchange {
  const greeting = expand(random.pick(GREETINGS[language]), random)
  if (language === 'zh') return { ...exchange, question: greeting + exchange.question }
  const question = greeting.endsWith(',') ? uncapitalized(exchange.question) : exchange.question
  return { ...exchange, question: `${greeting} ${question}` }
}

const uncapitalized = (text: string) => (/^I\b/.test(text) ? text : text[0].toLowerCase() + text.slice(1))

/** As one types in haste: no capital at the beginning, no full stop at the end. */
function hasty(exchange: Exchange): Exchange {
  return { ...exchange, question: uncapitalized(exchange.question).replace(/[.!?]$/, '') }
}

/** A question that a chat may bring, about no closed task. */
export function talk(random: Random, language: Language): Exchange {
  const topic = random.chance(0.25) ? undefined : pickTopic(random)
  const exchange = topic ? topicExchange(random, topic, language) : factExchange(random, language)
  if (random.chance(0.1) && !COURTESIES.includes(topic?.name ?? ''))
    return greeted(random, language, exchange)
  return language === 'en' && random.chance(0.15) ? hasty(exchange) : exchange
}

/** Exchanges as one conversation; the last decides whether it is held out. */
export function conversationOf(exchanges: readonly Exchange[]): Draft {
  const last = exchanges[exchanges.length - 1]
  return {
    conversation: {
      conversations: exchanges.flatMap(({ question, answer }) => [
        { role: 'user' as const, content: question },
        { role: 'assistant' as const, content: answer },
      ]),
    },
    expectation: last.expectation,
    key: last.key,
    otherKeys: exchanges.slice(0, -1).flatMap(({ key }) => key ?? []),
  }
}

const other = (language: Language): Language => (language === 'zh' ? 'en' : 'zh')

/** Something that one may ask in the middle of a chat, now and then in the other language. */
function anything(random: Random, usual: Language): Exchange {
  const language = random.chance(0.15) ? other(usual) : usual
  return random.weighted<() => Exchange>([
    [() => talk(random, language), 6],
    [() => arithmeticExchange(random, language), 2],
    [() => translationExchange(random), 2],
  ])()
}

/** Exchanges of a chat that goes on. */
export function severalExchanges(random: Random, language: Language, most: number): Exchange[] {
  return Array.from({ length: random.integer(1, most) }, () => anything(random, language))
}

/** Two to four exchanges, perhaps with a greeting first and thanks or a farewell last. */
function session(random: Random, language: Language): Draft {
  const about = (name: string) => topicExchange(random, topicNamed(name), language)
  const first = random.chance(0.3) ? about('greeting') : anything(random, language)
  const exchanges = [first, ...severalExchanges(random, language, 2)]
  if (random.chance(0.4)) exchanges.push(about(random.pick(['thanks', 'farewell', 'praise'])))
  return conversationOf(exchanges)
}

/** Something that is told, perhaps in the middle of a chat, and, perhaps after another question, asked for. */
function recall(random: Random, language: Language): Draft {
  const [tell, ask] = memoryExchanges(random, language)
  const before = random.chance(0.5) ? severalExchanges(random, language, 2) : []
  const between = random.chance(0.4) ? [anything(random, language)] : []
  return conversationOf([...before, tell, ...between, ask])
}

export const chat: Task = {
  name: 'chat',
  draft: (random) => {
    const language: Language = random.chance(0.6) ? 'zh' : 'en'
    return random.weighted<() => Draft>([
      [() => draftOf(talk(random, language)), 6],
      [() => session(random, language), 3],
      [() => recall(random, language), 2],
    ])()
  },
}
