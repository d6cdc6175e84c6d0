import { COMMON_CHARACTERS } from '../characters.js'
import { expand, lines, words } from '../grammar.js'
import { hashText, type Random } from '../random.js'
import {
  ATTRIBUTE_NAMES,
  attributeList,
  productKey,
  randomProduct,
  TYPE_NAMES,
  valuesOf,
} from './attributes.js'
import { draftOf, type Language, type Task } from './task.js'

/** Slot: text, what is to be said again. */
const QUESTIONS: Readonly<Record<Language, readonly string[]>> = {
  zh: lines(`
    (请|请你|)(重复|照抄|原样输出|跟我说)：{text}
    (请|请你|)(把下面的内容|把这段话|将以下内容)(重复一遍|再说一遍|原样写出来)：{text}
    (复述|照原样写)：{text}
  `),
  en: lines(`
    (Please repeat|Repeat|Repeat after me|Say|Copy this|Write exactly this|Say this again): {text}
    (Please copy|Copy) the following text: {text}
    (Please write|Write) this once more: {text}
  `),
}

const CHINESE = [...new Set(COMMON_CHARACTERS.replaceAll(/\s/g, ''))]
const ENGLISH = words(`
  apple river stone cloud paper green seven window music bridge letter silver garden morning winter shadow
  kind bright early gentle quick name type color list value key open close true false title size count
`)
/** Words that questions about products have and answers have not. */
const OF_PRODUCTS = [
  ...new Set([
    '类型',
    '标题',
    ...ATTRIBUTE_NAMES,
    ...TYPE_NAMES,
    ...ATTRIBUTE_NAMES.flatMap((name) => TYPE_NAMES.flatMap((type) => valuesOf(type, name))),
  ]),
]
const ENDS = ['，', '。', '！', '？']

const many = <T>(random: Random, low: number, high: number, make: () => T): T[] =>
  Array.from({ length: random.integer(low, high) }, make)

const characters = (random: Random, low: number, high: number) =>
  many(random, low, high, () => random.pick(CHINESE)).join('')

const word = (random: Random) =>
  random.weighted<() => string>([
    [() => characters(random, 1, 4), 4],
    [() => random.pick(OF_PRODUCTS), 5],
    [() => many(random, 1, 2, () => random.pick(ENGLISH)).join(' '), 3],
  ])()

const number = (random: Random) => `${random.integer(0, 10 ** random.integer(1, 4))}`

/** A few lines of characters that mean nothing together. */
function verse(random: Random): string {
  const length = random.integer(3, 8)
  return many(random, 2, 4, () => characters(random, length, length) + random.pick(ENDS)).join('\n')
}

/** Data as JSON writes them, on one line. */
function json(random: Random): string {
  const value = () =>
    random.weighted([
      [`"${word(random)}"`, 6],
      [number(random), 1],
      [`[${many(random, 1, 3, () => `"${word(random)}"`).join(', ')}]`, 2],
    ])
  return `{${many(random, 1, 5, () => `"${word(random)}": ${value()}`).join(', ')}}`
}

/** A text, and the keys of what it names. */
type Text = readonly [text: string, ...keys: string[]]

function productText(random: Random): Text {
  const product = randomProduct(random)
  return [attributeList(product), productKey(product)]
}

function text(random: Random): Text {
  const kind = random.weighted<(random: Random) => Text>([
    [(source) => [characters(source, 2, 12)], 4],
    [(source) => [verse(source)], 3],
    [(source) => [json(source)], 4],
    [productText, 2],
    [(source) => [many(source, 1, 6, () => source.pick(OF_PRODUCTS)).join(source.pick([' ', '', '、']))], 2],
    [(source) => [many(source, 1, 5, () => source.pick(ENGLISH)).join(' ')], 1],
    [(source) => [many(source, 1, 3, () => number(source)).join(' ')], 1],
  ])
  return kind(random)
}

/**
 * To say a text again to the letter. The texts mean nothing: what is learnt is to copy, and that every character and
 * every sign may be part of an answer.
 */
export const repeat: Task = {
  name: 'repeat',
  draft: (random) => {
    const [said, ...otherKeys] = text(random)
    const question = expand(random.pick(QUESTIONS[random.chance(0.7) ? 'zh' : 'en']), random, { text: said })
    const key = `repeat:${hashText(said)}`
    return {
      ...draftOf({ question, answer: said, key, expectation: { kind: 'answer', text: said } }),
      otherKeys,
    }
  },
}
