import { expand, lines, words } from '../grammar.js'
import type { Random } from '../random.js'
import { draftOf, type Exchange, type Language, type Task } from './task.js'

export type Operation = '+' | '-' | '×'

/** Slots: a and b, the operands. The words of an operation stand in its own list. */
const QUESTIONS: Readonly<Record<Language, Readonly<Record<Operation, readonly string[]>>>> = {
  zh: {
    '+': lines(`
      (请问|请算一下|帮我算一下|算一下|你知道|)({a}加{b}|{a}+{b}|{a} + {b}|{a}加上{b}|{a} 加 {b})(等于多少|是多少|等于几|得多少)(？|?|)
      ({a}+{b}|{a} + {b})(=|=?|=？| = ?|等于？|)
      (计算|请计算|口算|算算)(：|:|)({a}+{b}|{a} + {b}|{a}加{b})(。|)
      {a}(和|与){b}(的和|相加|加起来)(是多少|等于多少)(？|?)
      (把|请把){a}(和|与|跟){b}(加起来|相加)(，等于多少？|，结果是多少？|。)
      比{a}(多|大){b}的数是(多少|几)(？|?)
    `),
    '-': lines(`
      (请问|请算一下|帮我算一下|算一下|你知道|)({a}减{b}|{a}-{b}|{a} - {b}|{a}减去{b}|{a} 减 {b})(等于多少|是多少|等于几|得多少)(？|?|)
      ({a}-{b}|{a} - {b})(=|=?|=？| = ?|等于？|)
      (计算|请计算|口算|算算)(：|:|)({a}-{b}|{a} - {b}|{a}减{b})(。|)
      {a}(和|与){b}的差是多少(？|?)
      (从|用){a}(里面|中|)减去{b}(，还剩多少？|，等于多少？)
      比{a}(少|小){b}的数是(多少|几)(？|?)
    `),
    '×': lines(`
      (请问|请算一下|帮我算一下|算一下|你知道|)({a}乘{b}|{a}×{b}|{a} × {b}|{a}乘以{b}|{a}*{b})(等于多少|是多少|等于几|得多少)(？|?|)
      ({a}×{b}|{a} × {b}|{a}*{b}|{a} * {b})(=|=?|=？| = ?|等于？|)
      (计算|请计算|口算|算算)(：|:|)({a}×{b}|{a} × {b}|{a}乘{b})(。|)
      {a}(和|与){b}的(积|乘积)是多少(？|?)
      {b}个{a}(相加|加起来)(是多少|等于多少)(？|?)
      {a}的{b}倍是(多少|几)(？|?)
    `),
  },
  en: {
    '+': lines(`
      (What is|What's|Can you tell me what is|Calculate|Compute|Work out) ({a} + {b}|{a}+{b}|{a} plus {b})(?|)
      How much is ({a} + {b}|{a} plus {b})?
      (Add|Please add) {a} and {b}(.| for me.)
      What is the sum of {a} and {b}?
      What do you get if you add {b} to {a}?
      (Can you|Could you) (add|add up) {a} and {b}(?| for me?)
    `),
    '-': lines(`
      (What is|What's|Can you tell me what is|Calculate|Compute|Work out) ({a} - {b}|{a}-{b}|{a} minus {b})(?|)
      How much is ({a} - {b}|{a} minus {b})?
      (Subtract|Please subtract) {b} from {a}(.| for me.)
      What is the difference between {a} and {b}?
      What is left if you take {b} (away from|from) {a}?
      (Can you|Could you) (subtract|take) {b} from {a}(?| for me?)
    `),
    '×': lines(`
      (What is|What's|Can you tell me what is|Calculate|Compute|Work out) ({a} × {b}|{a}*{b}|{a} times {b}|{a} x {b})(?|)
      How much is ({a} × {b}|{a} times {b})?
      (Multiply|Please multiply) {a} by {b}(.| for me.)
      What is the product of {a} and {b}?
      What do you get if you multiply {a} by {b}?
      (Can you|Could you) multiply {a} (by|and) {b}(?| for me?)
    `),
  },
}

/** Slots: a and b, who and friend, a thing and its measure word, a box. */
const STORIES: Readonly<Record<Language, Readonly<Record<Operation, readonly string[]>>>> = {
  zh: {
    '+': lines(`
      {who}有{a}{m}{thing}，又买了{b}{m}，(现在|)一共有多少{m}(？|{thing}？)
      {who}有{a}{m}{thing}，{friend}有{b}{m}，(他们|两个人)一共有多少{m}{thing}？
      (篮子|盒子|箱子)里有{a}{m}{thing}，再放进{b}{m}，(现在|)有多少{m}{thing}？
      {who}早上数了{a}{m}{thing}，下午又数了{b}{m}，一共数了多少{m}？
    `),
    '-': lines(`
      {who}有{a}{m}{thing}，(送给|给了){friend}{b}{m}，还剩多少{m}(？|{thing}？)
      (篮子|盒子|箱子)里有{a}{m}{thing}，拿走了{b}{m}，还剩多少{m}{thing}？
      {who}有{a}{m}{thing}，{friend}有{b}{m}，{who}比{friend}多多少{m}？
      商店里有{a}{m}{thing}，卖掉了{b}{m}，还有多少{m}？
    `),
    '×': lines(`
      每个{box}里有{a}{m}{thing}，{b}个{box}里一共有多少{m}？
      {who}每天数{a}{m}{thing}，{b}天一共数了多少{m}？
      {b}个(小朋友|同学|孩子)，每人有{a}{m}{thing}，一共有多少{m}{thing}？
    `),
  },
  en: {
    '+': lines(`
      {who} has {a} {things} and buys {b} more. How many {things} does {who} have now?
      {who} has {a} {things} and {friend} has {b}. How many {things} do they have together?
      There are {a} {things} in the (box|bag|basket). I put in {b} more. How many {things} are there now?
    `),
    '-': lines(`
      {who} has {a} {things} and gives {b} to {friend}. How many {things} are left?
      There are {a} {things} in the (box|bag|basket). I take out {b}. How many {things} are left?
      A shop has {a} {things} and sells {b}. How many {things} are left?
    `),
    '×': lines(`
      There are {b} (boxes|bags|baskets) with {a} {things} each. How many {things} are there?
      {who} counts {a} {things} every day. How many {things} is that in {b} days?
    `),
  },
}

const PEOPLE: Readonly<Record<Language, readonly string[]>> = {
  zh: words('小明 小红 小华 小丽 小刚 小芳 小强 小美 小林 小雨 妈妈 爸爸 爷爷 奶奶 老师 姐姐 弟弟'),
  en: words('Tom Anna Ben Lucy Jack Emma Sam Mary Leo Nina Max Ella Paul Kate'),
}
/** With their measure words. */
const THINGS_ZH = words(
  '苹果/个 梨/个 橘子/个 鸡蛋/个 球/个 糖/颗 草莓/颗 书/本 本子/本 铅笔/支 花/朵 邮票/张 卡片/张 贝壳/个 杯子/个 珠子/颗 气球/个',
).map((pair) => pair.split('/'))
const BOXES_ZH = words('篮子 盒子 箱子 袋子')
const THINGS_EN = words(
  'apples pears oranges eggs balls sweets books pencils flowers stamps cards shells cups balloons stones coins cookies',
)

function calculate(operation: Operation, a: number, b: number): number {
  if (operation === '+') return a + b
  return operation === '-' ? a - b : a * b
}

/**
 * What decides whether a question is held out. A sum or a difference is as a whole, in any wording: it follows from
 * others. A product does not, a multiplication table is learnt by heart: of each, some wordings are held out. Both orders
 * of a sum or a product have one key, so that knowing one does not give away the other.
 */
function arithmeticKey(operation: Operation, a: number, b: number, wording: string): string {
  const [first, second] = operation === '-' ? [a, b] : [Math.min(a, b), Math.max(a, b)]
  const key = `arithmetic:${first}${operation}${second}`
  return operation === '×' ? `${key} ${wording}` : key
}

/** Operands from 0 to 99, or from 0 to 12 for a product; differences are never negative. */
function operands(random: Random, operation: Operation): readonly [number, number] {
  const highest = operation === '×' ? 12 : 99
  const first = random.integer(0, highest)
  const second = random.integer(0, highest)
  return operation === '-' && second > first ? [second, first] : [first, second]
}

/** A sum, a difference or a product in words or in a story, and the answer with the equation in it. */
export function arithmeticExchange(random: Random, language: Language): Exchange {
  const operation = random.weighted<Operation>([
    ['+', 5],
    ['-', 5],
    ['×', 2],
  ])
  const [a, b] = operands(random, operation)
  const result = calculate(operation, a, b)
  const equation = `${a} ${operation} ${b} = ${result}`
  const isStory = a > 1 && b > 1 && random.chance(0.25)
  const wording = random.pick((isStory ? STORIES : QUESTIONS)[language][operation])
  const key = arithmeticKey(operation, a, b, wording)
  const numbers = { a: `${a}`, b: `${b}` }
  const [question, answer] = isStory
    ? story(random, language, wording, numbers, equation)
    : [expand(wording, random, numbers), `${equation}${language === 'zh' ? '。' : '.'}`]
  return { question, answer, key, expectation: { kind: 'answer', text: answer, number: result } }
}

function story(
  random: Random,
  language: Language,
  wording: string,
  numbers: { readonly a: string; readonly b: string },
  equation: string,
): [question: string, answer: string] {
  const [who, friend] = random.sample(PEOPLE[language], 2)
  if (language === 'en') {
    const things = random.pick(THINGS_EN)
    return [expand(wording, random, { ...numbers, who, friend, things }), `${equation} (${things}).`]
  }
  const [thing, m] = random.pick(THINGS_ZH)
  const box = random.pick(BOXES_ZH)
  return [expand(wording, random, { ...numbers, who, friend, thing, m, box }), `${equation}（${m}）。`]
}

export const arithmetic: Task = {
  name: 'arithmetic',
  draft: (random) => draftOf(arithmeticExchange(random, random.chance(0.6) ? 'zh' : 'en')),
}
