import type { ToolMessage } from '../../../src/data/index.js'
import type { Random } from '../random.js'
import { arithmeticExchange } from './arithmetic.js'
import { talk } from './chat/chat.js'
import type { Draft, Language, Task } from './task.js'
import { TOOL_CALLS } from './tool-calls.js'
import { describeTool, TOOL_NAMES, type ToolName } from './tool-set.js'

/** One to three of some tools in a random order, with the one that is needed. */
function offerTools(random: Random, language: Language, from: readonly ToolName[], needed?: ToolName) {
  const count = random.weighted([
    [1, 6],
    [2, 3],
    [3, 1],
  ])
  const others = from.filter((name) => name !== needed)
  const names = needed ? [needed, ...random.sample(others, count - 1)] : random.sample(others, count)
  return random.sample(names, count).map((name) => describeTool(random, name, language))
}

/** How often a question needs each tool. */
const NEEDED: readonly (readonly [ToolName, number])[] = [
  ['get_weather', 4],
  ['get_time', 2],
  ['calculate', 3],
  ['search_product', 2],
  ['set_reminder', 2],
]

const callKey = (name: ToolName, parameters: object) => `tool:${name} ${Object.values(parameters).join(' ')}`

/** A question that needs a tool: the call, what the tool answers, and what is made of it. */
function withCall(random: Random, language: Language): Draft {
  const name = random.weighted(NEEDED)
  const { question, parameters, observation, answer } = TOOL_CALLS[name](random, language)
  const call: ToolMessage = { role: 'tool', name, parameters, observation }
  return {
    conversation: {
      tools: offerTools(random, language, TOOL_NAMES, name),
      conversations: [{ role: 'user', content: question }, call, { role: 'assistant', content: answer }],
    },
    expectation: { kind: 'call', name, parameters },
    key: callKey(name, parameters),
    otherKeys: [],
  }
}

/** A question that needs a tool which is not offered; perhaps none is. */
function withoutTool(random: Random, language: Language): Draft {
  const name = random.weighted(NEEDED)
  const { question, parameters, refusal } = TOOL_CALLS[name](random, language)
  const conversations = [
    { role: 'user', content: question },
    { role: 'assistant', content: refusal },
  ] as const
  const others = TOOL_NAMES.filter((other) => other !== name)
  return {
    conversation: random.chance(0.5)
      ? { conversations }
      : { tools: offerTools(random, language, others), conversations },
    expectation: { kind: 'answer', text: refusal },
    key: callKey(name, parameters),
    otherKeys: [],
  }
}

/** A question that is answered without the tools at hand. */
function withoutCall(random: Random, language: Language): Draft {
  const { question, answer, key } = random.chance(0.15)
    ? arithmeticExchange(random, language)
    : talk(random, language)
  return {
    conversation: {
      tools: offerTools(random, language, TOOL_NAMES),
      conversations: [
        { role: 'user', content: question },
        { role: 'assistant', content: answer },
      ],
    },
    expectation: { kind: 'open' },
    key: undefined,
    otherKeys: key === undefined ? [] : [key],
  }
}

export const tool: Task = {
  name: 'tool',
  draft: (random) => {
    const language: Language = random.chance(0.6) ? 'zh' : 'en'
    return random.weighted([
      [withCall, 80],
      [withoutCall, 14],
      [withoutTool, 6],
    ])(random, language)
  },
}
