import { describe, expect, it } from 'vitest'
import { checkAnswer, endsWithNumber } from './check-answer.js'
import { heldOutRecords } from './corpus/corpus.js'
import { type Expectation, type Instruction, TASKS } from './corpus/task.js'

const isRight = (expectation: Expectation, output: string) => checkAnswer(expectation, output).isRight
const follows = (instruction: Instruction, text: string) =>
  isRight({ kind: 'instructions', instructions: [instruction] }, `\n ${text}`)

describe('checkAnswer', () => {
  it('wants the very text where a question has one answer', () => {
    const expectation: Expectation = { kind: 'answer', text: '37 + 25 = 62。' }
    expect(isRight(expectation, '\n 37 + 25 = 62。')).toBe(true)
    expect(isRight(expectation, '\n 37 + 25 = 63。')).toBe(false)
    expect(isRight(expectation, '')).toBe(false)
  })

  it('wants name and parameters of a call', () => {
    const expectation: Expectation = {
      kind: 'call',
      name: 'get_weather',
      parameters: { city: '北京', date: '明天' },
    }
    const call = (name: string, text: string) => `${name}\n \`\`\`python\ntool_call(${text})\n\`\`\``
    expect(isRight(expectation, call('get_weather', "city='北京', date='明天'"))).toBe(true)
    expect(isRight(expectation, call('get_weather', "date='明天', city='北京'"))).toBe(true)
    expect(isRight(expectation, call('get_time', "city='北京', date='明天'"))).toBe(false)
    expect(isRight(expectation, call('get_weather', "city='北京'"))).toBe(false)
    expect(isRight(expectation, call('get_weather', "city='北京', date='今天'"))).toBe(false)
    expect(isRight(expectation, call('get_weather', "city='北京', date='明天', unit='C'"))).toBe(false)
    expect(isRight(expectation, '\n 北京明天晴。')).toBe(false)
  })

  it('counts the attributes that a text mentions', () => {
    const expectation: Expectation = { kind: 'attributes', values: ['红色', '简约'] }
    expect(checkAnswer(expectation, '\n 这条红色的裙子。')).toEqual({ isRight: false, score: 0.5 })
    expect(checkAnswer(expectation, '\n 这条红色简约的裙子。')).toEqual({ isRight: true, score: 1 })
  })

  it.each<[Instruction, string, string]>([
    [{ sort: 'name', text: '小竹' }, '我叫小竹。', '我叫小明。'],
    [{ sort: 'role', text: '厨师' }, '我是一名厨师。', '我是一个小模型。'],
    [{ sort: 'ending', text: '喵' }, '你好！喵', '喵，你好！'],
    [{ sort: 'beginning', text: '报告' }, '报告，你好！', '你好，报告！'],
    [{ sort: 'language', language: 'en' }, 'Hello!', 'Hello 你好'],
    [{ sort: 'language', language: 'zh' }, 'WebGPU 是一个标准。', 'WebGPU is a standard.'],
    [{ sort: 'yes-no', text: '是。' }, '是。', '不是。'],
  ])('checks %j', (instruction, right, wrong) => {
    expect(follows(instruction, right)).toBe(true)
    expect(follows(instruction, wrong)).toBe(false)
  })

  it('wants strict JSON with equal fields', () => {
    const expectation: Expectation = { kind: 'json', value: { 类型: '裙', 风格: ['简约'] } }
    expect(isRight(expectation, '\n {"风格": ["简约"], "类型": "裙"}')).toBe(true)
    expect(isRight(expectation, '\n {"类型": "裙", "风格": ["简约"],}')).toBe(false)
    expect(isRight(expectation, '\n {"类型": "裙", "风格": "简约"}')).toBe(false)
    expect(isRight(expectation, '\n 好的：{"类型": "裙", "风格": ["简约"]}')).toBe(false)
    expect(isRight(expectation, '\n null')).toBe(false)
  })

  it('wants the form of a poem', () => {
    const expectation: Expectation = { kind: 'poem', lines: 2, length: 5 }
    expect(isRight(expectation, '\n 清风吹小院，\n明月照高楼。')).toBe(true)
    expect(isRight(expectation, '\n 清风吹小院，明月照高楼。')).toBe(false)
    expect(isRight(expectation, '\n 清风吹小院，\n明月照楼。')).toBe(false)
    expect(isRight(expectation, '\n 清风吹小院\n明月照高楼')).toBe(false)
  })

  it('judges no open question', () => {
    expect(() => checkAnswer({ kind: 'open' }, '\n 你好')).toThrow(RangeError)
  })

  it.each(TASKS)('finds the answers of the corpus right: %s', (task) => {
    for (const { conversation, expectation } of heldOutRecords(task, 100)) {
      const last = conversation.conversations.at(-1)!
      if (expectation.kind === 'open' || expectation.kind === 'call' || last.role === 'tool') continue
      expect([last.content, checkAnswer(expectation, `\n ${last.content}`).isRight]).toEqual([
        last.content,
        true,
      ])
    }
  })
})

it('endsWithNumber looks at the last number', () => {
  expect(endsWithNumber('37 + 25 = 62。', 62)).toBe(true)
  expect(endsWithNumber('62 = 37 + 25', 62)).toBe(false)
  expect(endsWithNumber('没有', 62)).toBe(false)
})
