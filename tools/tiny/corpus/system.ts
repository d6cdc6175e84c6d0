import { expand, lines } from '../grammar.js'
import type { Random } from '../random.js'
import { arithmeticExchange } from './arithmetic.js'
import { factExchange } from './chat/facts.js'
import { pickTopic, topicExchange } from './chat/topics.js'
import { helperName } from './names.js'
import { BEGINNINGS, ENDINGS, ROLES } from './system-personas.js'
import type { Draft, Exchange, Instruction, Language, Task } from './task.js'
import { withArticle } from './translation/lexicon.js'
import { yesNoDraft } from './yes-no.js'

/** Who the model is to be: what the system message says, and what it answers when asked. */
interface Persona {
  readonly system: string
  readonly questions: readonly string[]
  readonly answer: string
  readonly instructions: readonly Instruction[]
}

const WHO_ARE_YOU: Readonly<Record<Language, readonly string[]>> = {
  zh: lines(`
    (请问|你好，|)(你是谁|你到底是谁|您是谁)(呀|)(？|?)
    (请|)(介绍一下你自己|自我介绍一下|说说你是谁|做个自我介绍)(吧|)(。|！)
  `),
  en: lines(`
    (Who are you|Hello, who are you|Can you tell me who you are|May I ask who you are)?
    (Please |)(introduce yourself|tell me who you are|tell me about yourself).
  `),
}
const ASK_NAME: Readonly<Record<Language, readonly string[]>> = {
  zh: lines(`
    (请问|你好，|那|)(你叫什么名字|你叫什么|你的名字是什么|怎么称呼你|您贵姓大名|你的名字叫什么)(呀|呢|)(？|?)
  `),
  en: lines(`
    (What is your name|What's your name|Hello, what is your name|May I ask your name|What should I call you|Do you have a name)?
  `),
}
const ASK_ROLE: Readonly<Record<Language, readonly string[]>> = {
  zh: lines(`
    (请问|你好，|)你(是做什么的|做什么工作|的工作是什么|的职业是什么|每天做什么)(呀|呢|)(？|?)
  `),
  en: lines(`
    (What do you do|What is your job|What's your job|What do you do all day|What is your work)?
  `),
}

function name(random: Random, language: Language, answerLanguage: Language): Persona {
  const v = helperName(random, answerLanguage)
  const system = {
    zh: '(你叫{v}|你的名字叫{v}|你的名字是{v}|你是{v}|你是一个叫{v}的助手|你是{v}，一个友好的助手)。',
    en: '(Your name is {v}|You are called {v}|You are {v}|You are {v}, a friendly assistant|You are an assistant named {v}).',
  }[language]
  const answer = {
    zh: '(我叫{v}，很高兴认识你。|我叫{v}。|我是{v}，有什么可以帮你的吗？)',
    en: '(My name is {v}. Nice to meet you.|My name is {v}.|I am {v}. How can I help you?)',
  }[answerLanguage]
  return {
    system: expand(system, random, { v }),
    questions: [...ASK_NAME[language], ...ASK_NAME[language], ...WHO_ARE_YOU[language]],
    answer: expand(answer, random, { v }),
    instructions: [{ sort: 'name', text: v }],
  }
}

function role(random: Random, language: Language): Persona {
  const { role: v, does } = random.pick(ROLES[language])
  const system = {
    zh: '(你是一名{v}|请扮演一名{v}|你的身份是{v}|假装你是一名{v}|你现在是一名{v})(，请用{v}的口气说话|)。',
    en: '(You are {v}|Play the role of {v}|Act as {v}|Pretend that you are {v}|From now on you are {v}).',
  }[language]
  const answer = {
    zh: '(我是一名{v}，{does}。|我是{v}，我的工作是{does}。)',
    en: '(I am {v}. {does}.|Hello, I am {v}. {does}.)',
  }[language]
  const slots = { v: language === 'zh' ? v : withArticle(v), does }
  return {
    system: expand(system, random, slots),
    questions: [...WHO_ARE_YOU[language], ...ASK_ROLE[language]],
    answer: expand(answer, random, slots),
    instructions: [{ sort: 'role', text: v }],
  }
}

/** How the model is to answer: what the system message says, and what that makes of an answer. */
interface Manner {
  readonly system: string
  readonly apply: (answer: string) => string
  readonly instructions: readonly Instruction[]
}

function ending(random: Random, language: Language): Manner {
  const v = random.pick(ENDINGS[language])
  const system = {
    zh: '(每次回答最后都说|每句话最后都说|回答的最后要加上|每次回答都以|请在回答的末尾加上|说完话要加一个)“{v}”',
    en: '(End every answer with|Always end your answer with|Finish each answer with|At the end of every answer say) “{v}”',
  }[language]
  const text = expand(system, random, { v })
  const whole = language === 'zh' ? (text.includes('都以') ? `${text}结尾。` : `${text}。`) : text
  return {
    system: whole,
    apply: (answer) => (language === 'zh' ? `${answer}${v}` : `${answer} ${v}`),
    instructions: [{ sort: 'ending', text: v }],
  }
}

function beginning(random: Random, language: Language): Manner {
  const v = random.pick(BEGINNINGS[language])
  const system = {
    zh: '(每次回答都以“{v}”开头|回答的开头要说“{v}”|先说“{v}”，再回答问题|请用“{v}”开始每个回答)。',
    en: '(Begin every answer with|Start each answer with|Always begin your answer with) “{v}”.',
  }[language]
  return {
    system: expand(system, random, { v }),
    apply: (answer) => (language === 'zh' ? `${v}，${answer}` : `${v} ${answer}`),
    instructions: [{ sort: 'beginning', text: v }],
  }
}

function onlyLanguage(random: Random, language: Language, wanted: Language): Manner {
  const system = {
    zh: {
      zh: '(只用中文回答|请用中文回答|无论用户说什么语言，都用中文回答|你只会说中文|回答时只用中文)。',
      en: '(只用英文回答|请用英文回答|无论用户说什么语言，都用英文回答|你只会说英语|回答时只用英语)。',
    },
    en: {
      zh: '(Answer only in Chinese|Always answer in Chinese|Reply in Chinese, whatever the language of the user|You speak Chinese only).',
      en: '(Answer only in English|Always answer in English|Reply in English, whatever the language of the user|You speak English only).',
    },
  }[language][wanted]
  return {
    system: expand(system, random),
    apply: (answer) => answer,
    instructions: [{ sort: 'language', language: wanted }],
  }
}

const other = (language: Language): Language => (language === 'zh' ? 'en' : 'zh')

interface Plan {
  readonly persona: 'name' | 'role' | undefined
  readonly manner: 'ending' | 'beginning' | 'language' | undefined
}

const PLANS: readonly (readonly [Plan, number])[] = [
  [{ persona: 'name', manner: undefined }, 4],
  [{ persona: 'role', manner: undefined }, 3],
  [{ persona: undefined, manner: 'ending' }, 4],
  [{ persona: undefined, manner: 'beginning' }, 3],
  [{ persona: undefined, manner: 'language' }, 4],
  [{ persona: 'name', manner: 'ending' }, 2],
  [{ persona: 'name', manner: 'beginning' }, 1],
  [{ persona: 'name', manner: 'language' }, 2],
  [{ persona: 'role', manner: 'ending' }, 1],
]

function planned(random: Random): Draft {
  const plan = random.weighted(PLANS)
  const language: Language = random.chance(0.6) ? 'zh' : 'en'
  // Whether the language is another than that of the system message, and of the question.
  const wanted = plan.manner === 'language' && random.chance(0.65) ? other(language) : language
  const persona =
    plan.persona === 'name' ? name(random, language, wanted) : plan.persona && role(random, language)
  const manner =
    plan.manner === 'language'
      ? onlyLanguage(random, language, wanted)
      : plan.manner === 'ending'
        ? ending(random, language)
        : plan.manner && beginning(random, language)
  const system = [persona?.system, manner?.system].filter((part) => part !== undefined)
  const exchange = (): Exchange => {
    const plain =
      persona && random.chance(0.65)
        ? {
            question: expand(random.pick(persona.questions), random),
            answer: persona.answer,
            key: undefined,
            expectation: { kind: 'instructions' as const, instructions: persona.instructions },
          }
        : talkUnder(random, plan, language, wanted)
    const instructions = [
      ...(plain.expectation.kind === 'instructions' ? plain.expectation.instructions : []),
      ...(manner?.instructions ?? []),
    ]
    const expectation =
      instructions.length > 0 ? ({ kind: 'instructions', instructions } as const) : { kind: 'open' as const }
    return { ...plain, answer: manner ? manner.apply(plain.answer) : plain.answer, expectation }
  }
  const exchanges = random.chance(0.2) ? [exchange(), exchange()] : [exchange()]
  return underSystem(system.join(language === 'zh' ? '' : ' '), exchanges)
}

/** A question that has nothing to do with who the model is. */
function talkUnder(
  random: Random,
  { persona, manner }: Plan,
  language: Language,
  wanted: Language,
): Exchange {
  if (manner === 'language') {
    // The question in either language, the answer in the one that is wanted.
    return topicExchange(
      random,
      topicFor(random, persona),
      random.chance(0.5) ? language : other(wanted),
      wanted,
    )
  }
  return random.weighted<() => Exchange>([
    [() => topicExchange(random, topicFor(random, persona), language), 5],
    [() => factExchange(random, language), 2],
    [() => arithmeticExchange(random, language), 2],
  ])()
}

/** Topics that contradict a name or a role: who the model is otherwise. */
const ABOUT_ITSELF = ['introduce', 'who made you', 'abilities', 'small', 'human', 'age', 'home', 'languages']

function topicFor(random: Random, persona: Plan['persona']) {
  for (;;) {
    const found = pickTopic(random)
    if (!ABOUT_ITSELF.includes(found.name) && (persona === undefined || found.name !== 'opinion'))
      return found
  }
}

/** A conversation that begins with a system message. */
function underSystem(system: string, exchanges: readonly Exchange[]): Draft {
  const last = exchanges[exchanges.length - 1]
  return {
    conversation: {
      conversations: [
        { role: 'system', content: system },
        ...exchanges.flatMap(({ question, answer }) => [
          { role: 'user' as const, content: question },
          { role: 'assistant' as const, content: answer },
        ]),
      ],
    },
    expectation: last.expectation,
    key: `system:${system}\n${last.question}`,
    otherKeys: [
      ...exchanges.flatMap(({ key }) => key ?? []),
      ...exchanges.slice(0, -1).map(({ question }) => `system:${system}\n${question}`),
    ],
  }
}

export const system: Task = {
  name: 'system',
  draft: (random) => (random.chance(0.3) ? yesNoDraft(random) : planned(random)),
}
