import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Conversation } from '../../../src/finetune.js'
import { checkAnswer } from '../check-answer.js'
import { ATTRIBUTE_NAMES, TYPE_NAMES, valuesOf } from '../corpus/attributes.js'
import { trainingRecords } from '../corpus/corpus.js'
import { productJson } from './json.js'
import { lineHead } from './poem.js'
import { MAX_PREFIX_RECORDS, PREFIX_TASKS } from './prefix-tasks.js'

const HASHES = {
  poem: '9fa2b6ec4e21670b13c3c2071b7f57379d560e3210dba3a63e9b44d36c92fa5e',
  json: '829116af661f5270adb7a7465ec3cf8e35320396cdcbf7e3856c66e34f65ed33',
}

const questionOf = ({ conversations }: Conversation) => JSON.stringify(conversations.at(-2))
const answerOf = ({ conversations }: Conversation) => {
  const answer = conversations[conversations.length - 1]
  return answer.role === 'tool' ? '' : answer.content
}

describe.each(PREFIX_TASKS.map((task) => [task.name, task] as const))('%s', (_name, task) => {
  const training = task.trainingRecords(MAX_PREFIX_RECORDS)
  const heldOut = task.heldOutRecords(200)

  it('trains on no product that is held out, nor does the base', () => {
    const known = new Set(training.map(questionOf))
    for (const { task, conversation } of trainingRecords(1, 20_000)) {
      if (task === 'copy') known.add(questionOf(conversation))
    }
    expect(heldOut.filter(({ conversation }) => known.has(questionOf(conversation)))).toEqual([])
    expect(new Set(training.map(questionOf)).size).toBe(MAX_PREFIX_RECORDS)
  })

  it('has answers of the form that is checked', () => {
    for (const { conversation, expectation } of heldOut) {
      expect(checkAnswer(expectation, `\n ${answerOf(conversation)}`)).toEqual({ isRight: true, score: 1 })
    }
  })

  it('stands behind a chat now and then, of which nothing is learnt', () => {
    const behind = training.filter(({ conversations }) => conversations.length > 2)
    expect(behind.length / training.length).toBeCloseTo(0.3, 1)
    for (const { conversations } of behind) {
      for (const message of conversations.slice(0, -2)) {
        if (message.role === 'assistant') expect(message.loss).toBe(false)
      }
    }
  })

  it('has no more records than a prefix may be trained on', () => {
    expect(() => task.trainingRecords(MAX_PREFIX_RECORDS + 1)).toThrow(RangeError)
  })

  it('is the same every time', () => {
    const hash = createHash('sha256')
      .update(JSON.stringify([training.slice(0, 500), heldOut]))
      .digest('hex')
    expect(hash).toBe(HASHES[task.name])
  })
})

it('a poem can begin a line with every value of every attribute, in four characters', () => {
  for (const type of TYPE_NAMES) {
    for (const name of ATTRIBUTE_NAMES) {
      for (const value of valuesOf(type, name)) expect([...lineHead(value)]).toHaveLength(4)
    }
  }
})

it('data about a product keep its order, styles as a list, the title last', () => {
  const product = {
    type: '裙',
    attributes: [
      { name: '风格', value: '简约' },
      { name: '裙长', value: '短裙' },
      { name: '风格', value: '淑女' },
      { name: '颜色', value: '红色' },
    ],
  }
  const json = JSON.stringify(productJson(product))
  expect(json).toBe('{"类型":"裙","风格":["简约","淑女"],"裙长":"短裙","颜色":"红色","标题":"红色简约短裙"}')
})
