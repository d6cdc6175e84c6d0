import { expand } from '../grammar.js'
import type { Random } from '../random.js'
import type { Language } from './task.js'
import {
  CITIES,
  DATES,
  PRODUCT_COLORS,
  PRODUCT_TYPES,
  REMINDERS,
  type ToolName,
  WEATHERS,
} from './tool-set.js'

/** A question, the call that it needs, and what comes of it. */
export interface ToolUse {
  readonly question: string
  /** What is answered where there is no such tool. */
  readonly refusal: string
  readonly parameters: Readonly<Record<string, string>>
  readonly observation: object
  readonly answer: string
}

const QUESTIONS = {
  weather: {
    zh: '(请问|帮我查一下|我想知道|查一下|请帮我查|)({city}的天气怎么样|{city}天气如何|{city}冷吗|{city}会下雨吗)(？|?)',
    en: '(What is the weather like in {city}|How is the weather in {city}|Can you tell me the weather in {city}|Is it cold in {city}|Will it rain in {city})(?|)',
  },
  weatherOnDay: {
    zh: '(请问|帮我查一下|我想知道|查一下|请帮我查|)({city}{date}的天气怎么样|{date}{city}天气如何|{city}{date}会下雨吗|{date}{city}冷吗|{date}{city}的天气)(？|?)',
    en: '(What is the weather like in {city} {on}|How will the weather be in {city} {on}|Can you tell me the weather in {city} {on}|Will it rain in {city} {on}|Is it cold in {city} {on})(?|)',
  },
  time: {
    zh: '(请问|帮我查一下|我想知道|查一下|)({city}现在几点了|{city}现在几点|{city}的时间是多少|现在{city}是几点)(？|?)',
    en: '(What time is it in {city}|What is the time in {city}|Can you tell me the time in {city}|Do you know what time it is in {city})(?|)',
  },
  calculation: {
    zh: '(请问|帮我算一下|请计算|算一下|计算|)({expression}|{expression}等于多少|{expression}是多少|{expression}的结果是多少)(？|?|)',
    en: '((What is|How much is|Can you calculate) {expression}(?|)|(Calculate|Please calculate|Work out) {expression}(.|))',
  },
  product: {
    zh: '(请问|帮我|请帮我|我想|)(找一找|找一下|搜索|搜一下|看看有没有){color}的{type}(。|吧。|，谢谢。|)',
    en: '(Find me|Please find|Search for|Look for|I am looking for|Show me) a {color} {type}(.|)',
  },
  reminder: {
    zh: '((请|记得|麻烦你|)(在{time}提醒我{content}|{time}提醒我{content}|提醒我{time}{content})|(请|帮我|麻烦你|)设一个{time}{content}的提醒)(。|！|，谢谢。|)',
    en: '((Please remind me|Remind me) (at {time} to {content}|to {content} at {time})(.|)|(Can|Could) you remind me (at {time} to {content}|to {content} at {time})?)',
  },
} as const

function weather(random: Random, language: Language): ToolUse {
  const city = random.pick(CITIES[language])
  const date = random.chance(0.65) ? random.pick(DATES[language]) : undefined
  const sky = random.pick(WEATHERS[language])
  const temperature = /雪|snow/.test(sky) ? random.integer(-12, 1) : random.integer(2, 36)
  const day = date ?? { zh: '今天', en: 'today' }[language]
  const on = /^[A-Z]/.test(day) ? `on ${day}` : day
  const parameters: ToolUse['parameters'] = date === undefined ? { city } : { city, date }
  return {
    question: expand(QUESTIONS[date === undefined ? 'weather' : 'weatherOnDay'][language], random, {
      city,
      date: day,
      on,
    }),
    refusal: {
      zh: `我没有查天气的工具，不知道${city}的天气。`,
      en: 'I have no tool for the weather, so I do not know it.',
    }[language],
    parameters,
    observation: { weather: sky, temperature },
    answer: {
      zh: `${city}${day}${sky}，气温${temperature < 0 ? '零下' : ''}${Math.abs(temperature)}度。`,
      en: `In ${city} it is ${sky} ${on}, ${temperature} degrees.`,
    }[language],
  }
}

function time(random: Random, language: Language): ToolUse {
  const city = random.pick(CITIES[language])
  const now = clock(random)
  return {
    question: expand(QUESTIONS.time[language], random, { city }),
    refusal: {
      zh: `我没有查时间的工具，不知道${city}现在几点。`,
      en: 'I have no tool for the time, so I do not know it.',
    }[language],
    parameters: { city },
    observation: { time: now },
    answer: { zh: `${city}现在是${now}。`, en: `It is ${now} in ${city} now.` }[language],
  }
}

function clock(random: Random): string {
  return `${random.integer(6, 23)}:${String(random.integer(0, 11) * 5).padStart(2, '0')}`
}

/** Numbers beyond what the model computes itself. */
function calculation(random: Random, language: Language): ToolUse {
  const operation = random.pick(['+', '-', '*'])
  const [high, low] =
    operation === '*'
      ? [random.integer(13, 999), random.integer(13, 99)]
      : [random.integer(100, 9999), random.integer(100, 9999)]
  const [a, b] = [Math.max(high, low), Math.min(high, low)]
  const result = operation === '+' ? a + b : operation === '-' ? a - b : a * b
  const spoken = random.pick([` ${operation} `, operation])
  const expression = `${a} ${operation} ${b}`
  return {
    question: expand(QUESTIONS.calculation[language], random, { expression: `${a}${spoken}${b}` }),
    refusal: {
      zh: '这个算式太大，我没有计算工具，算不准。',
      en: 'These numbers are too large for me, and I have no tool to calculate.',
    }[language],
    parameters: { expression },
    observation: { result },
    answer: `${expression} = ${result}${language === 'zh' ? '。' : '.'}`,
  }
}

function product(random: Random, language: Language): ToolUse {
  const type = random.pick(PRODUCT_TYPES[language])
  const color = random.pick(PRODUCT_COLORS[language])
  const count = random.chance(0.15) ? 0 : random.integer(1, 30)
  const price = random.integer(3, 60) * 10 - 1
  const found = {
    zh: `找到${count}件${color}的${type}，最低价${price}元。`,
    en: `I found ${count} in ${color}. The lowest price for a ${type} is ${price} yuan.`,
  }
  const none = { zh: `没有找到${color}的${type}。`, en: `I found no ${color} ${type}.` }
  return {
    question: expand(QUESTIONS.product[language], random, { type, color }),
    refusal: {
      zh: `我没有搜索商品的工具，找不到${color}的${type}。`,
      en: 'I have no tool to search products, so I cannot find it.',
    }[language],
    parameters: { type, color },
    observation: count === 0 ? { count } : { count, price },
    answer: (count === 0 ? none : found)[language],
  }
}

function reminder(random: Random, language: Language): ToolUse {
  const at = clock(random)
  const content = random.pick(REMINDERS[language])
  return {
    question: expand(QUESTIONS.reminder[language], random, { time: at, content }),
    refusal: {
      zh: '我没有设置提醒的工具，不能提醒你。',
      en: 'I have no tool to set reminders, so I cannot remind you.',
    }[language],
    parameters: { time: at, content },
    observation: { status: 'ok' },
    answer: {
      zh: `好的，${at}我会提醒你${content}。`,
      en: `All right, I will remind you at ${at} to ${content}.`,
    }[language],
  }
}

export const TOOL_CALLS: Readonly<Record<ToolName, (random: Random, language: Language) => ToolUse>> = {
  get_weather: weather,
  get_time: time,
  calculate: calculation,
  search_product: product,
  set_reminder: reminder,
}
