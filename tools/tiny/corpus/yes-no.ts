import { expand } from '../grammar.js'
import type { Random } from '../random.js'
import { KINDS } from './system-personas.js'
import type { Draft, Language } from './task.js'
import { withArticle } from './translation/lexicon.js'

const DEMANDS: Readonly<Record<Language, readonly (readonly [demand: string, yes: string, no: string])[]>> = {
  zh: [
    ['(只回答“是”或“不是”|请用“是”或“不是”回答|你只能回答“是”或者“不是”)。', '是。', '不是。'],
    ['(只回答“对”或“不对”|请用“对”或“不对”回答|你只能回答“对”或者“不对”)。', '对。', '不对。'],
  ],
  en: [
    [
      '(Answer with yes or no|Answer only yes or no|Say only yes or no|Your answer must be yes or no).',
      'Yes.',
      'No.',
    ],
  ],
}

/** A statement as a question, and whether it is true. */
function question(random: Random, language: Language): readonly [question: string, isTrue: boolean] {
  if (random.chance(0.4)) return comparison(random, language)
  const [kind, things] = random.pick(KINDS[language])
  const isTrue = random.chance(0.5)
  const thing = random.pick(isTrue ? things : random.pick(KINDS[language].filter(([one]) => one !== kind))[1])
  if (language === 'zh') {
    return [
      expand('(请问|)({x}是{k}吗|{x}是一种{k}吗|{x}是不是{k})(？|?)', random, { x: thing, k: kind }),
      isTrue,
    ]
  }
  const needsNoArticle =
    /^[A-Z]/.test(thing) || KINDS.en.some(([one, colors]) => one === 'color' && colors.includes(thing))
  const x = needsNoArticle ? thing : withArticle(thing)
  return [`Is ${x} ${withArticle(kind)}?`, isTrue]
}

function comparison(random: Random, language: Language): readonly [question: string, isTrue: boolean] {
  const [a, b] = random.sample(
    Array.from({ length: 100 }, (_, number) => number),
    2,
  )
  const isMore = random.chance(0.5)
  const isTrue = isMore ? a > b : a < b
  const slots = { a: `${a}`, b: `${b}` }
  if (language === 'zh') {
    const template = isMore ? '({a}比{b}大吗|{a}大于{b}吗)(？|?)' : '({a}比{b}小吗|{a}小于{b}吗)(？|?)'
    return [expand(template, random, slots), isTrue]
  }
  const template = isMore ? 'Is {a} (greater|more|larger) than {b}?' : 'Is {a} (less|smaller) than {b}?'
  return [expand(template, random, slots), isTrue]
}

/** A system message that demands one of two words, and a question. */
export function yesNoDraft(random: Random): Draft {
  const language: Language = random.chance(0.6) ? 'zh' : 'en'
  const [demand, yes, no] = random.pick(DEMANDS[language])
  const system = expand(demand, random)
  const [asked, isTrue] = question(random, language)
  const answer = isTrue ? yes : no
  return {
    conversation: {
      conversations: [
        { role: 'system', content: system },
        { role: 'user', content: asked },
        { role: 'assistant', content: answer },
      ],
    },
    expectation: { kind: 'instructions', instructions: [{ sort: 'yes-no', text: answer }] },
    key: `system:${system}\n${asked}`,
    otherKeys: [],
  }
}
