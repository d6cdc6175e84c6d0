import type { ToolMessage } from '../../../src/index.js'
import type { Random } from '../random.js'
import { arithmeticExchange } from './arithmetic.js'
import { talk } from './chat/chat.js'
import type { Draft, Language, Task } from './task.js'
import { TOOL_CALLS } from './tool-calls.js'
import { describeTool, TOOL_NAMES, type ToolName } from './tool-set.js'

/** One to three tools in a random order, with the one that is needed. */
function offerTools(random: Random, language: Language, needed: readonly ToolName[]) {
  const count = random.weighted([
    [1, 6],
    [2, 3],
    [3, 1],
  ])
  const others = random.sample(
    TOOL_NAMES.filter((name) => !needed.includes(name)),
    Math.max(0, count - needed.length),
  )
  return random.sample([...needed, ...others], count).map((name) => describeTool(random, name, language))
}

/** A question that needs a tool: the call, what the tool answers, and what is made of it. */
function withCall(random: Random, language: Language): Draft {
  const name = random.weighted<ToolName>([
    ['get_weather', 4],
    ['get_time', 2],
    ['calculate', 3],
    ['search_product', 2],
    ['set_reminder', 2],
  ])
  const { question, parameters, observation, answer } = TOOL_CALLS[name](random, language)
  const call: ToolMessage = { role: 'tool', name, parameters, observation }
  return {
    conversation: {
      tools: offerTools(random, language, [name]),
      conversations: [{ role: 'user', content: question }, call, { role: 'assistant', content: answer }],
    },
    expectation: { kind: 'call', name, parameters },
    key: `tool:${name} ${Object.values(parameters).join(' ')}`,
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
      tools: offerTools(random, language, []),
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
    return random.chance(0.82) ? withCall(random, language) : withoutCall(random, language)
  },
}
