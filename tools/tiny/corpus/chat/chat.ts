import type { Random } from '../../random.js'
import { arithmeticExchange } from '../arithmetic.js'
import { type Draft, draftOf, type Exchange, type Language, type Task } from '../task.js'
import { translationExchange } from '../translation/translation.js'
import { factExchange } from './facts.js'
import { memoryExchanges } from './memory.js'
import { pickTopic, topic, topicExchange } from './topics.js'

/** A question that a chat may bring, about no closed task. */
export function talk(random: Random, language: Language): Exchange {
  return random.chance(0.25)
    ? factExchange(random, language)
    : topicExchange(random, pickTopic(random), language)
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

/** Two or three exchanges, perhaps with a greeting first and thanks or a farewell last. */
function session(random: Random, language: Language): Draft {
  const middle = (): Exchange =>
    random.weighted<() => Exchange>([
      [() => talk(random, language), 6],
      [() => arithmeticExchange(random, language), 2],
      [() => translationExchange(random), 2],
    ])()
  const about = (name: string) => topicExchange(random, topic(name), language)
  const exchanges = random.chance(0.3) ? [about('greeting'), middle()] : [middle(), middle()]
  if (random.chance(0.4)) exchanges.push(about(random.pick(['thanks', 'farewell', 'praise'])))
  return conversationOf(exchanges)
}

/** Something that is told and, perhaps after another question, asked for. */
function recall(random: Random, language: Language): Draft {
  const [tell, ask] = memoryExchanges(random, language)
  return conversationOf(random.chance(0.4) ? [tell, talk(random, language), ask] : [tell, ask])
}

export const chat: Task = {
  name: 'chat',
  draft: (random) => {
    const language: Language = random.chance(0.6) ? 'zh' : 'en'
    return random.weighted<() => Draft>([
      [() => draftOf(talk(random, language)), 6],
      [() => session(random, language), 3],
      [() => recall(random, language), 1],
    ])()
  },
}
