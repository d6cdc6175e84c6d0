import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseRecord } from '../../../src/data/index.js'
import { Random } from '../random.js'
import { attributeList, randomProduct, valuesToMention } from './attributes.js'
import { advertisingCopy } from './copy.js'
import {
  type CorpusRecord,
  DEFAULT_WEIGHTS,
  heldOutRecords,
  lastPrompt,
  promptsOf,
  trainingRecords,
} from './corpus.js'
import { isHeldOut, TASKS, type TaskName } from './task.js'
import { sentencePair } from './translation/sentences.js'

const training = [...trainingRecords(1, 50_000)]
const ofTask = (task: TaskName) => training.filter((record) => record.task === task)

function lastUserText({ conversation }: CorpusRecord): string {
  const message = conversation.conversations.findLast(({ role }) => role === 'user')!
  return message.role === 'tool' ? '' : message.content
}

function lastText({ conversation }: CorpusRecord): string {
  const message = conversation.conversations.at(-1)!
  return message.role === 'tool' ? '' : message.content
}

describe('training records', () => {
  it('are the same ones every time', () => {
    const hash = createHash('sha256')
    for (const { key: _, ...text } of trainingRecords(1, 1000)) hash.update(JSON.stringify(text))
    expect(hash.digest('hex')).toMatchInlineSnapshot(
      `"86bba11205a8b1312336260b498c796da06b694b97d3770a9698cfd4c1863358"`,
    )
  })

  it('differ by seed, and a longer list begins with the shorter', () => {
    const first = (seed: number, count: number) =>
      JSON.stringify([...trainingRecords(seed, count)].slice(0, 5))
    expect(first(2, 5)).toBe(first(2, 50))
    expect(first(2, 5)).not.toBe(first(1, 5))
  })

  it('are records that the reader of training data takes', () => {
    for (const { conversation } of training.slice(0, 5000)) {
      expect(parseRecord({ value: JSON.parse(JSON.stringify(conversation)), where: 'here' })).toEqual(
        conversation,
      )
    }
  })

  it('are of every task, as often as its weight says', () => {
    const total = Object.values(DEFAULT_WEIGHTS).reduce((sum, weight) => sum + weight)
    for (const task of TASKS) {
      const share = DEFAULT_WEIGHTS[task] / total
      expect(Math.abs(ofTask(task).length / training.length / share - 1)).toBeLessThan(0.05)
    }
    const only = [
      ...trainingRecords(1, 100, {
        chat: 0,
        arithmetic: 1,
        translation: 0,
        copy: 0,
        system: 0,
        tool: 0,
        repeat: 0,
      }),
    ]
    expect(only.every(({ task }) => task === 'arithmetic')).toBe(true)
  })

  it('have many different questions', () => {
    const prompts = new Set(training.map(({ conversation }) => lastPrompt(conversation)))
    expect(prompts.size).toBeGreaterThan(40_000)
  })

  it('leave no slot, bracket or doubled punctuation mark', () => {
    for (const record of training) {
      if (record.task === 'tool' || record.task === 'repeat') continue
      for (const message of record.conversation.conversations) {
        if (message.role !== 'tool')
          expect(message.content).not.toMatch(/[{}|]|undefined|。。|，，|，。|\.\.| {2}/)
      }
    }
  })
})

describe('held-out records', () => {
  const prompts = new Set(training.flatMap(({ conversation }) => promptsOf(conversation)))

  it.each(TASKS)('of %s ask nothing that the training text has', (task) => {
    const heldOut = heldOutRecords(task, 300)
    expect(heldOut.filter(({ conversation }) => prompts.has(lastPrompt(conversation)))).toEqual([])
    expect(new Set(heldOut.map(({ conversation }) => lastPrompt(conversation))).size).toBe(300)
  })

  it('of sums, differences and translations ask in no wording, and no task, what the training text has', () => {
    const equation = /\d+ [-+] \d+ = \d+/g
    const known = new Set<string>()
    for (const { conversation } of training) {
      for (const message of conversation.conversations) {
        if (message.role === 'assistant')
          for (const [found] of message.content.matchAll(equation)) known.add(found)
      }
    }
    expect(known.size).toBeGreaterThan(5000)
    const heldOut = heldOutRecords('arithmetic', 300).flatMap(
      (record) => lastText(record).match(equation) ?? [],
    )
    expect(heldOut.length).toBeGreaterThan(200)
    expect(heldOut.filter((found) => known.has(found))).toEqual([])
    const translations = new Set(ofTask('translation').map(lastText))
    const questions = new Set(training.flatMap(({ conversation }) => promptsOf(conversation)))
    expect(questions.size).toBeGreaterThan(translations.size)
    expect(heldOutRecords('translation', 300).filter((record) => translations.has(lastText(record)))).toEqual(
      [],
    )
  })

  it('of products ask in other wordings than the training text, which has the whole multiplication table', () => {
    const equation = /(\d+) × (\d+) = \d+/
    const products = (records: readonly CorpusRecord[]) =>
      records.flatMap((record) => {
        const [, a, b] = equation.exec(lastText(record)) ?? []
        return a === undefined ? [] : [[+a, +b].toSorted((x, y) => x - y).join(' × ')]
      })
    const table = new Set(products(ofTask('arithmetic')))
    expect(table.size).toBe((13 * 14) / 2)
    const heldOut = products(heldOutRecords('arithmetic', 300))
    expect(heldOut.length).toBeGreaterThan(30)
  })

  it('come for keys alone, about as many as wanted', () => {
    const keys = Array.from({ length: 5000 }, (_, index) => `arithmetic:${index}`)
    expect(isHeldOut(keys[0])).toBe(isHeldOut(keys[0]))
    expect(keys.filter(isHeldOut).length / keys.length).toBeCloseTo(0.1, 1)
  })
})

describe('arithmetic', () => {
  it('is right, and says so with the numbers of the question', () => {
    for (const record of ofTask('arithmetic')) {
      const [, a, operation, b, result] = /^(\d+) ([-+×]) (\d+) = (\d+)/.exec(lastText(record))!
      const value = { '+': +a + +b, '-': +a - +b, '×': +a * +b }[operation]
      expect(+result).toBe(value)
      expect(lastUserText(record).match(/\d+/g)!.toSorted()).toEqual([a, b].toSorted())
      expect(record.expectation).toMatchObject({ kind: 'answer', number: value, text: lastText(record) })
    }
  })
})

describe('closed tasks', () => {
  it.each(['arithmetic', 'translation'] as const)('%s: a question has one answer', (task) => {
    const answers = new Map<string, string>()
    for (const record of ofTask(task)) {
      const question = lastPrompt(record.conversation)
      expect(answers.get(question) ?? lastText(record)).toBe(lastText(record))
      answers.set(question, lastText(record))
    }
  })

  it('tool: a question with the same tools has one call', () => {
    const calls = new Map<string, string>()
    for (const { conversation, expectation } of ofTask('tool')) {
      if (expectation.kind !== 'call') continue
      const call = JSON.stringify(expectation)
      expect(calls.get(lastPrompt(conversation)) ?? call).toBe(call)
      calls.set(lastPrompt(conversation), call)
    }
    expect(calls.size).toBeGreaterThan(3000)
  })
})

describe('translation', () => {
  const pairs = (() => {
    const random = new Random(5)
    return Array.from({ length: 50_000 }, () => sentencePair(random))
  })()

  it('goes both ways: a sentence has one translation', () => {
    const english = new Map<string, string>()
    const chinese = new Map<string, string>()
    for (const { zh, en } of pairs) {
      expect(english.get(zh) ?? en).toBe(en)
      expect(chinese.get(en) ?? zh).toBe(zh)
      english.set(zh, en)
      chinese.set(en, zh)
    }
    expect(english.size).toBeGreaterThan(20_000)
  })

  it('is Chinese on one side and English on the other', () => {
    for (const { zh, en } of pairs) {
      expect(zh).toMatch(/^[\p{Script=Han}，]+[。？]$/u)
      expect(en).toMatch(/^[A-Z][A-Za-z', ]*[.?]$/)
    }
  })

  it('has articles that fit the sound, and verbs that fit who does it', () => {
    for (const { en } of pairs) {
      expect(en).not.toMatch(/ (a [aeiou]|an [^aeiou])/)
      expect(en).not.toMatch(/\b(I|you|we|they) (is|was|has|goes|likes|wants|needs|does)\b/i)
      expect(en).not.toMatch(/\b(he|she) (are|am|were|have|go|like|want|need|do)\b(?! not| .*\?)/i)
    }
  })
})

describe('copy', () => {
  it('mentions every attribute, in 15 to 120 characters', () => {
    const random = new Random(6)
    for (let i = 0; i < 3000; i++) {
      const product = randomProduct(random)
      const text = advertisingCopy(random, product)
      for (const value of valuesToMention(product)) expect(text).toContain(value)
      expect(text.length).toBeGreaterThan(15)
      expect(text.length).toBeLessThan(120)
      expect(attributeList(product)).toMatch(
        /^类型#\p{Script=Han}+(\*\p{Script=Han}+#[\p{Script=Han}AV]+)+$/u,
      )
    }
  })
})

describe('tools', () => {
  it('are called by the name of one that is offered, with parameters that it has', () => {
    for (const { conversation } of ofTask('tool')) {
      const tools = conversation.tools as { name: string; parameters: { properties: object } }[]
      for (const message of conversation.conversations) {
        if (message.role !== 'tool') continue
        const offered = tools.find(({ name }) => name === message.name)!
        expect(Object.keys(offered.parameters.properties)).toEqual(
          expect.arrayContaining(Object.keys(message.parameters)),
        )
      }
    }
  })
})
