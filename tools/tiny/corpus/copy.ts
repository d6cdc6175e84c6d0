import { expand } from '../grammar.js'
import type { Random } from '../random.js'
import {
  type Attribute,
  attributeList,
  measureOf,
  nounsOf,
  type Product,
  productKey,
  randomProduct,
  valuesToMention,
} from './attributes.js'
import { BEFORE_NOUN, CLAUSES, CLOSINGS } from './copy-clauses.js'
import { draftOf, type Task } from './task.js'

/** A text of fewer characters gets a closing clause, or two. */
const SHORT = 42
const VERY_SHORT = 22

/** The lists that users paste, and now and then a request before it. */
const REQUEST =
  '(请|)(为下面的商品|根据下面的属性|根据属性|给这个商品)(写一段文案|写一段广告文案|写一段介绍)：'

function clause(random: Random, { name, value }: Attribute): string {
  return expand(random.pick(CLAUSES[name]), random, { v: value })
}

/** Advertising copy: the noun with one or two attributes, a clause for each of the others. */
export function advertisingCopy(random: Random, { type, attributes }: Product): string {
  // Of two styles only the first.
  const beforeNoun = attributes.filter(
    ({ name }, index) =>
      name in BEFORE_NOUN && attributes.findIndex((attribute) => attribute.name === name) === index,
  )
  const ahead = random.sample(beforeNoun, Math.min(beforeNoun.length, random.integer(1, 2)))
  // 红色的简约风格裙子 rather than 简约风格的红色的裙子: the colour first, as a reader expects it.
  const order = Object.keys(BEFORE_NOUN)
  ahead.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  const described = ahead.map(({ name, value }) => expand(BEFORE_NOUN[name], random, { v: value }))
  const phrase = described.length > 0 ? `${described.join('')}的` : ''
  const opener = expand('(这{m}|这款|一{m})', random, { m: measureOf(type) })
  const clauses = attributes
    .filter((attribute) => !ahead.includes(attribute))
    .map((one) => clause(random, one))
  const text = [`${opener}${phrase}${random.pick(nounsOf(type))}`, ...clauses]
  if (text.join('，').length < SHORT) {
    const count = text.join('，').length < VERY_SHORT ? 2 : 1
    text.push(...random.sample(CLOSINGS, count).map((closing) => expand(closing, random)))
  }
  return `${joinClauses(text)}。`
}

/** Commas between clauses, and a full stop in the middle of a long text. */
function joinClauses(clauses: readonly string[]): string {
  if (clauses.length < 5) return clauses.join('，')
  const middle = Math.ceil(clauses.length / 2) + 1
  return `${clauses.slice(0, middle).join('，')}。${clauses.slice(middle).join('，')}`
}

export const copy: Task = {
  name: 'copy',
  draft: (random) => {
    const product = randomProduct(random)
    const list = attributeList(product)
    return draftOf({
      question: random.chance(0.2) ? `${expand(REQUEST, random)}${list}` : list,
      answer: advertisingCopy(random, product),
      key: productKey(product),
      expectation: { kind: 'attributes', values: valuesToMention(product) },
    })
  },
}
