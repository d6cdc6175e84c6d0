import { expand, lines } from '../../grammar.js'
import type { Random } from '../../random.js'
import { draftOf, type Exchange, type Language, type Task } from '../task.js'
import { sentencePair, WORD_PAIRS } from './sentences.js'

/** Slot: s, what is to be translated. By the language that is wanted. */
const REQUESTS: Readonly<Record<Language, readonly string[]>> = {
  en: lines(`
    (请|)(翻译成|译成)(英文|英语)：{s}
    (请|)把(这句话|下面的句子|下面这句话)(翻译成|译成)(英文|英语)：{s}
    (请|)(把|将)“{s}”(翻译成|译成)(英文|英语)(。|)
    “{s}”(用英语怎么说|用英文怎么说|的英文是什么|翻译成英文是什么)？
    (帮我|请帮我)翻译(一下|成英文)：{s}
    (请|)翻译：{s}
    (Translate|Please translate) (into|to) English: {s}
    Translate this (sentence |)into English: {s}
    How do you say (“{s}”|"{s}") in English?
    Say (“{s}”|"{s}") in English.
  `),
  zh: lines(`
    (请|)(翻译成|译成)(中文|汉语)：{s}
    (请|)把(这句话|下面的句子|下面这句话)(翻译成|译成)(中文|汉语)：{s}
    (请|)(把|将)“{s}”(翻译成|译成)中文(。|)
    “{s}”(用中文怎么说|是什么意思|的中文是什么)？
    (请|)翻译：{s}
    (Translate|Please translate) (into|to) Chinese: {s}
    Translate this (sentence |)into Chinese: {s}
    How do you say (“{s}”|"{s}") in Chinese?
    Say (“{s}”|"{s}") in Chinese.
  `),
}

/** A sentence, or now and then a word, and its only translation. */
export function translationExchange(random: Random): Exchange {
  const language: Language = random.chance(0.5) ? 'en' : 'zh'
  const isWord = random.chance(0.12)
  const pair = isWord ? random.pick(WORD_PAIRS) : sentencePair(random)
  const [source, answer] = language === 'en' ? [pair.zh, pair.en] : [pair.en, pair.zh]
  const question = expand(random.pick(REQUESTS[language]), random, { s: source })
  const key = isWord ? undefined : `translation:${pair.zh}`
  return { question, answer, key, expectation: { kind: 'answer', text: answer } }
}

export const translation: Task = {
  name: 'translation',
  draft: (random) => draftOf(translationExchange(random)),
}
