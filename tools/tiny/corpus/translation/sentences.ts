import type { Random } from '../../random.js'
import {
  type Adjective,
  ANIMAL_ADJECTIVES,
  ANIMALS,
  COLOURS,
  type CountNoun,
  DRINKS,
  FAMILY,
  FAR_PLACES,
  FAR_TRANSPORT,
  FOODS,
  FRUITS,
  GOODS,
  MACHINES,
  NATURE,
  NUMBERS,
  PEOPLE,
  PERSON_ADJECTIVES,
  PETS,
  type Phrase,
  PLACES,
  READABLE,
  SPOTS,
  THING_ADJECTIVES,
  TRANSPORT,
  WASHABLE,
  WEATHER,
  WRITABLE,
  withArticle,
} from './lexicon.js'
import {
  ACTIVITIES,
  SUBJECTS,
  SUBJECTS_OF_SENTENCES,
  type Subject,
  type Tense,
  TIMES,
  VERBS,
  type Verb,
} from './verbs.js'

/** A sentence in both languages; each is the one translation of the other. */
export type Pair = Phrase

/** A noun with a number or an article: 一个苹果, an apple. */
function counted(random: Random, noun: CountNoun): Phrase {
  if (random.chance(0.5)) return { zh: `一${noun.measure}${noun.zh}`, en: withArticle(noun.en) }
  const number = random.pick(NUMBERS)
  return { zh: `${number.zh}${noun.measure}${noun.zh}`, en: `${number.en} ${noun.plural}` }
}

/** 这个苹果, that apple. */
function pointed(random: Random, noun: CountNoun): Phrase {
  const [zh, en] = random.pick([
    ['这', 'this'],
    ['那', 'that'],
  ])
  return { zh: `${zh}${noun.measure}${noun.zh}`, en: `${en} ${noun.en}` }
}

/** Verbs and what they can be done to. */
const DOINGS: readonly (readonly [verb: Verb, object: (random: Random) => Phrase])[] = [
  [VERBS.eat, (random) => counted(random, random.pick(FRUITS))],
  [VERBS.eat, (random) => random.pick(FOODS)],
  [VERBS.drink, (random) => random.pick(DRINKS)],
  [VERBS.read, (random) => counted(random, random.pick(READABLE))],
  [VERBS.write, (random) => counted(random, random.pick(WRITABLE))],
  [VERBS.buy, (random) => counted(random, random.pick([...GOODS, ...FRUITS]))],
  [VERBS.sell, (random) => counted(random, random.pick(GOODS))],
  [VERBS.wash, (random) => counted(random, random.pick(WASHABLE))],
  [VERBS['look for'], (random) => counted(random, random.pick(GOODS))],
  [VERBS.draw, (random) => counted(random, random.pick([...ANIMALS, ...NATURE]))],
  [VERBS.repair, (random) => counted(random, random.pick(MACHINES))],
  [VERBS.learn, (random) => random.pick(SUBJECTS)],
  [VERBS.teach, (random) => random.pick(SUBJECTS)],
  [VERBS.help, (random) => counted(random, random.pick(PEOPLE))],
]

const TENSES: readonly Tense[] = ['habit', 'past', 'future']

interface Clause {
  readonly subject: Subject
  readonly verb: Verb
  readonly object: Phrase
  readonly tense: Tense
  readonly time: Phrase
}

const NOTHING: Phrase = { zh: '', en: '' }
const EVERY_SUMMER: Phrase = { zh: '每年夏天', en: 'every summer' }

function clause(random: Random): Clause {
  const tense = random.pick(TENSES)
  const subject = random.pick(SUBJECTS_OF_SENTENCES)
  const time = random.pick(TIMES[tense])
  if (random.chance(0.35)) {
    return { subject, verb: random.pick(ACTIVITIES), object: NOTHING, tense, time }
  }
  const [verb, object] = random.pick(DOINGS)
  return { subject, verb, object: object(random), tense, time }
}

function finiteVerb({ third, base, past }: Verb, tense: Tense, isThird: boolean): string {
  if (tense === 'past') return past
  if (tense === 'future') return `will ${base}`
  return isThird ? third : base
}

/** 吃了苹果; 唱了歌 for verbs that hold their object. */
function perfective(verb: Verb, object: Phrase): string {
  if (object !== NOTHING) return `${verb.zh}了${object.zh}`
  // The verb of an activity is its first character, but for these.
  const own = /^(学习|工作|休息|购物|打扫)/.exec(verb.zh)?.[0] ?? verb.zh[0]
  return `${own}了${verb.zh.slice(own.length)}`
}

const sentence = (zh: string, en: string, mark: '.' | '?' = '.'): Pair => ({
  zh: zh + (mark === '.' ? '。' : '？'),
  en: en[0].toUpperCase() + en.slice(1) + mark,
})

const joined = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(' ')

function statement(random: Random): Pair {
  const { subject, verb, object, tense, time } = clause(random)
  const action = tense === 'past' ? perfective(verb, object) : `${verb.zh}${object.zh}`
  const zh = `${subject.zh}${time.zh}${tense === 'future' ? '要' : ''}${action}`
  return sentence(zh, joined(subject.en, finiteVerb(verb, tense, subject.isThird), object.en, time.en))
}

function negation(random: Random): Pair {
  const subject = random.pick(SUBJECTS_OF_SENTENCES)
  const verb = random.pick(ACTIVITIES)
  const tense = random.pick(TENSES)
  // Who does something on no day simply does not do it.
  const time = tense === 'habit' ? NOTHING : random.pick(TIMES[tense])
  const [zh, en] = {
    habit: ['不', subject.isThird ? 'does not' : 'do not'],
    past: ['没有', 'did not'],
    future: ['不会', 'will not'],
  }[tense]
  return sentence(`${subject.zh}${time.zh}${zh}${verb.zh}`, joined(subject.en, en, verb.base, time.en))
}

function progressive(random: Random): Pair {
  const { subject, verb, object } = clause(random)
  return sentence(
    `${subject.zh}正在${verb.zh}${object.zh}`,
    joined(subject.en, subject.be, verb.ing, object.en),
  )
}

function journey(random: Random): Pair {
  const subject = random.pick(SUBJECTS_OF_SENTENCES)
  const isFar = random.chance(0.45)
  const place = random.pick(isFar ? FAR_PLACES : PLACES)
  const by = random.chance(0.4) ? random.pick(isFar ? FAR_TRANSPORT : TRANSPORT) : NOTHING
  const tense = random.pick(TENSES)
  // Nobody goes to another country every day.
  const time = isFar && tense === 'habit' ? EVERY_SUMMER : random.pick(TIMES[tense])
  const go = tense === 'past' ? '去了' : '去'
  return sentence(
    `${subject.zh}${time.zh}${tense === 'future' ? '要' : ''}${by.zh}${go}${place.zh}`,
    joined(subject.en, finiteVerb(VERBS.go, tense, subject.isThird), 'to', place.en, by.en, time.en),
  )
}

/** What is liked or wanted in general: 苹果, apples. */
function general(random: Random): Phrase {
  if (random.chance(0.5)) return random.pick([...DRINKS, ...FOODS, ...SUBJECTS])
  const { zh, plural } = random.pick([...FRUITS, ...ANIMALS])
  return { zh, en: plural }
}

function liking(random: Random): Pair {
  const subject = random.pick(SUBJECTS_OF_SENTENCES)
  const thing = general(random)
  const form = random.integer(0, 2)
  if (form === 0) {
    return sentence(
      `${subject.zh}喜欢${thing.zh}`,
      joined(subject.en, subject.isThird ? 'likes' : 'like', thing.en),
    )
  }
  if (form === 1) {
    const not = subject.isThird ? 'does not like' : 'do not like'
    return sentence(`${subject.zh}不喜欢${thing.zh}`, joined(subject.en, not, thing.en))
  }
  const verb = subject.isThird ? 'does' : 'do'
  return sentence(`${subject.zh}喜欢${thing.zh}吗`, joined(verb, subject.en, 'like', thing.en), '?')
}

function wanting(random: Random): Pair {
  const { subject, verb, object } = clause(random)
  const [zh, en] = random.pick([
    ['想', subject.isThird ? 'wants to' : 'want to'],
    ['会', 'can'],
    ['应该', 'should'],
  ])
  // 会 is what one has learned, and needs an activity.
  const [done, what] = zh === '会' ? [random.pick(ACTIVITIES), NOTHING] : [verb, object]
  return sentence(`${subject.zh}${zh}${done.zh}${what.zh}`, joined(subject.en, en, done.base, what.en))
}

function describedNoun(random: Random): readonly [Phrase, readonly Adjective[]] {
  return random.pick([
    () => [pointed(random, random.pick(GOODS)), THING_ADJECTIVES] as const,
    () => [pointed(random, random.pick(ANIMALS)), ANIMAL_ADJECTIVES] as const,
    () => [pointed(random, random.pick(PEOPLE)), PERSON_ADJECTIVES] as const,
  ])()
}

function description(random: Random): Pair {
  const [noun, adjectives] = describedNoun(random)
  const { zh, en } = random.pick(adjectives)
  return random.pick([
    sentence(`${noun.zh}很${zh}`, `${noun.en} is very ${en}`),
    sentence(`${noun.zh}不${zh}`, `${noun.en} is not ${en}`),
    sentence(`${noun.zh}${zh}吗`, `is ${noun.en} ${en}`, '?'),
  ])
}

function person(random: Random): Pair {
  const { possessive, zh, en, be } = random.pick(SUBJECTS_OF_SENTENCES)
  const quality = random.pick(PERSON_ADJECTIVES)
  if (random.chance(0.5)) return sentence(`${zh}很${quality.zh}`, `${en} ${be} very ${quality.en}`)
  const relative = random.pick(FAMILY)
  return random.pick([
    () =>
      sentence(
        `${possessive.zh}${relative.zh}很${quality.zh}`,
        `${possessive.en} ${relative.en} is very ${quality.en}`,
      ),
    () => {
      const job = random.pick(PEOPLE.filter(({ en }) => en !== relative.en && en !== 'student'))
      return sentence(
        `${possessive.zh}${relative.zh}是一${job.measure}${job.zh}`,
        `${possessive.en} ${relative.en} is ${withArticle(job.en)}`,
      )
    },
  ])()
}

function colour(random: Random): Pair {
  const noun = random.pick(GOODS)
  const { zh, en } = random.pick(COLOURS)
  if (random.chance(0.5)) {
    const owner = random.pick(SUBJECTS_OF_SENTENCES).possessive
    return sentence(`${owner.zh}${noun.zh}是${zh}的`, `${owner.en} ${noun.en} is ${en}`)
  }
  const that = pointed(random, noun)
  return sentence(`${that.zh}是${zh}的`, `${that.en} is ${en}`)
}

function comparison(random: Random): Pair {
  const [nouns, adjectives] = random.pick([
    [GOODS, THING_ADJECTIVES],
    [ANIMALS, ANIMAL_ADJECTIVES],
    [PEOPLE, PERSON_ADJECTIVES],
  ] as const)
  const [first, second] = random.sample(nouns, 2)
  const { zh, comparative } = random.pick(adjectives)
  return sentence(
    `这${first.measure}${first.zh}比那${second.measure}${second.zh}${zh}`,
    `this ${first.en} is ${comparative} than that ${second.en}`,
  )
}

function place(random: Random): Pair {
  const noun = random.pick([...GOODS, ...PETS, ...READABLE.slice(0, 4)])
  const spot = random.pick(SPOTS)
  const owner = random.pick(SUBJECTS_OF_SENTENCES).possessive
  return random.pick([
    () => sentence(`${owner.zh}${noun.zh}在${spot.zh}`, `${owner.en} ${noun.en} is ${spot.en}`),
    () => sentence(`${owner.zh}${noun.zh}在哪里`, `where is ${owner.en} ${noun.en}`, '?'),
    () => {
      const number = random.pick(NUMBERS)
      return random.chance(0.5)
        ? sentence(`${spot.zh}有一${noun.measure}${noun.zh}`, `there is ${withArticle(noun.en)} ${spot.en}`)
        : sentence(
            `${spot.zh}有${number.zh}${noun.measure}${noun.zh}`,
            `there are ${number.en} ${noun.plural} ${spot.en}`,
          )
    },
  ])()
}

function possession(random: Random): Pair {
  const { zh, en, isThird } = random.pick(SUBJECTS_OF_SENTENCES)
  const what = counted(random, random.pick([...GOODS, ...PETS]))
  return random.pick([
    sentence(`${zh}有${what.zh}`, `${en} ${isThird ? 'has' : 'have'} ${what.en}`),
    sentence(`${zh}需要${what.zh}`, `${en} ${isThird ? 'needs' : 'need'} ${what.en}`),
  ])
}

function weather(random: Random): Pair {
  const { zh, en } = random.pick(WEATHER)
  const city = random.pick(FAR_PLACES)
  const day = random.pick([
    { zh: '今天', en: 'today', be: 'is' },
    { zh: '昨天', en: 'yesterday', be: 'was' },
  ])
  if (en === 'good') return sentence(`${day.zh}天气很好`, `the weather ${day.be} very good ${day.en}`)
  return random.pick([
    sentence(`${day.zh}很${zh}`, `it ${day.be} very ${en} ${day.en}`),
    sentence(`${city.zh}${day.zh}很${zh}`, `it ${day.be} very ${en} in ${city.en} ${day.en}`),
  ])
}

function contrast(random: Random): Pair {
  const subject = random.pick(SUBJECTS_OF_SENTENCES)
  const [first, second] = random.sample(PERSON_ADJECTIVES, 2)
  return sentence(
    `${subject.zh}很${first.zh}，但是不${second.zh}`,
    `${subject.en} ${subject.be} very ${first.en}, but not ${second.en}`,
  )
}

/** Kinds of sentences, each with its weight. */
const SENTENCES: readonly (readonly [(random: Random) => Pair, number])[] = [
  [statement, 10],
  [negation, 3],
  [progressive, 5],
  [journey, 6],
  [liking, 4],
  [wanting, 4],
  [description, 4],
  [person, 4],
  [colour, 3],
  [comparison, 3],
  [place, 5],
  [possession, 3],
  [weather, 1],
  [contrast, 1],
]

/** A sentence in both languages. */
export function sentencePair(random: Random): Pair {
  return random.weighted(SENTENCES)(random)
}

/** What one says to each other. */
const PHRASES: readonly Pair[] = [
  { zh: '你好', en: 'hello' },
  { zh: '早上好', en: 'good morning' },
  { zh: '晚上好', en: 'good evening' },
  { zh: '晚安', en: 'good night' },
  { zh: '再见', en: 'goodbye' },
  { zh: '谢谢', en: 'thank you' },
  { zh: '对不起', en: 'sorry' },
  { zh: '欢迎', en: 'welcome' },
  { zh: '生日快乐', en: 'happy birthday' },
  { zh: '我爱你', en: 'I love you' },
]

const allWords: readonly Pair[] = [
  ...PHRASES,
  ...[...FRUITS, ...GOODS, ...ANIMALS, ...NATURE, ...PEOPLE, ...READABLE].map(({ zh, en }) => ({ zh, en })),
  ...[...DRINKS, ...FOODS, ...COLOURS, ...SUBJECTS],
]

/** Single words that are the translation of one word only; `orange` is a fruit and a colour. */
export const WORD_PAIRS = allWords.filter(({ en }) => allWords.filter((word) => word.en === en).length === 1)
