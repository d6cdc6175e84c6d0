import type { Conversation } from '../../../src/data/index.js'
import { pythonJson } from '../../../src/tokenizer/index.js'
import { attributeList, type Product, productKey, randomProduct } from '../corpus/attributes.js'
import { severalExchanges } from '../corpus/chat/chat.js'
import { type Expectation, isHeldOut } from '../corpus/task.js'
import { hashText, Random } from '../random.js'
import { productJson } from './json.js'
import { POEM_LINE_LENGTH, POEM_LINES, productPoem } from './poem.js'

export type PrefixTaskName = 'poem' | 'json'

export interface PrefixTaskRecord {
  readonly conversation: Conversation
  readonly expectation: Expectation
  /** What decides whether the product is held out. */
  readonly key: string
}

/** A task that a prefix teaches and the base is not trained on. Users ask for it as for copy: with the bare list. */
export interface PrefixTask {
  readonly name: PrefixTaskName
  /** The first of at most 2,000 conversations to train on, the same ones every time. */
  trainingRecords(count: number): Conversation[]
  /** Conversations about products that neither base nor prefix was trained on. */
  heldOutRecords(count: number): PrefixTaskRecord[]
}

/** What a prefix may be trained on. */
export const MAX_PREFIX_RECORDS = 2000

type Answer = (
  random: Random,
  product: Product,
) => { readonly text: string; readonly expectation: Expectation }

const ANSWERS: Readonly<Record<PrefixTaskName, Answer>> = {
  poem: (random, product) => ({
    text: productPoem(random, product),
    expectation: { kind: 'poem', lines: POEM_LINES, length: POEM_LINE_LENGTH },
  }),
  json: (_random, product) => {
    const value = productJson(product)
    return { text: pythonJson(value), expectation: { kind: 'json', value } }
  },
}

/** So often a chat goes before, of which nothing is learnt. */
const CHAT_BEFORE = 0.3

/** What was said before, so that a prefix can be put to work in the middle of a chat. */
function chatBefore(random: Random): Conversation['conversations'][number][] {
  const exchanges = severalExchanges(random, random.chance(0.6) ? 'zh' : 'en', 2)
  if (exchanges.some(({ key }) => key !== undefined && isHeldOut(key))) return chatBefore(random)
  return exchanges.flatMap(({ question, answer }) => [
    { role: 'user' as const, content: question },
    { role: 'assistant' as const, content: answer, loss: false },
  ])
}

function prefixTask(name: PrefixTaskName): PrefixTask {
  const records = (part: 'training' | 'held out', count: number) => {
    const random = new Random(hashText(`${part} ${name}`))
    const seen = new Set<string>()
    const made: PrefixTaskRecord[] = []
    while (made.length < count) {
      const product = randomProduct(random)
      const key = productKey(product)
      if (seen.has(key) || isHeldOut(key) !== (part === 'held out')) continue
      seen.add(key)
      const { text, expectation } = ANSWERS[name](random, product)
      const conversation: Conversation = {
        conversations: [
          ...(random.chance(CHAT_BEFORE) ? chatBefore(random) : []),
          { role: 'user', content: attributeList(product) },
          { role: 'assistant', content: text },
        ],
      }
      made.push({ conversation, expectation, key })
    }
    return made
  }
  return {
    name,
    trainingRecords: (count) => {
      if (count > MAX_PREFIX_RECORDS)
        throw new RangeError(`A prefix has at most ${MAX_PREFIX_RECORDS} records.`)
      return records('training', count).map(({ conversation }) => conversation)
    },
    heldOutRecords: (count) => records('held out', count),
  }
}

export const PREFIX_TASKS: readonly PrefixTask[] = [prefixTask('poem'), prefixTask('json')]
