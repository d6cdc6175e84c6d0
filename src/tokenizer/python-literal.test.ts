import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasCode } from '../errors/index.js'
import { type PythonValue, parseToolCall } from './python-literal.js'
import { formatToolCall } from './python-repr.js'

const read = (literal: string) => parseToolCall(`tool_call(x=${literal})`).x

describe('the call of a tool', () => {
  it.each<[string, Record<string, PythonValue>]>([
    ['tool_call()', {}],
    ["tool_call(symbol='10111')", { symbol: '10111' }],
    ['tool_call(location="beijing", unit="celsius")', { location: 'beijing', unit: 'celsius' }],
    ['tool_call(seed=42, range=(0, 100))', { seed: 42, range: [0, 100] }],
    [' tool_call ( a = 1 , b=[ ] , ) \n', { a: 1, b: [] }],
    ["tool_call(\n    城市='北京',  # where\n    from='a',\n)\n", { 城市: '北京', from: 'a' }],
    ['tool_call(ﬁ=1)', { fi: 1 }],
    [
      'tool_call(__proto__=1, constructor={"__proto__": 2})',
      JSON.parse('{"__proto__":1,"constructor":{"__proto__":2}}'),
    ],
  ])('%s gives its arguments by name', (source, parameters) => {
    expect(parseToolCall(source)).toEqual(parameters)
    expect(Object.keys(parseToolCall(source))).toEqual(Object.keys(parameters))
  })

  it.each([
    ['', /Line 1, column 1: expected tool_call\(…\), found the end/],
    ['print(1)', /tool_call\(…\), found "print\(1\)"/],
    ['tool_call', /expected "\("/],
    ['tool_call(1)', /name=value/],
    ['tool_call(**{})', /name=value/],
    ['tool_call(a)', /name=value, found "a\)"/],
    ['tool_call(a=1, a=2)', /no second value for a/],
    ['tool_call(a=1 b=2)', /"," or "\)"/],
    ['tool_call(,)', /name=value/],
    ['tool_call(a=1,,)', /name=value/],
    ['tool_call(a=1', /"," or "\)", found the end/],
    ['tool_call(a=1)\nprint(1)', /Line 2, column 1: expected the end/],
    ['tool_call(a=1) + 1', /expected the end/],
    ['tool_call(a=open("x"))', /expected a literal, found "open/],
    ['tool_call(a=b)', /a literal/],
    ['tool_call(a=true)', /a literal/],
    ['tool_call(a=1+1)', /"," or "\)", found "\+1\)"/],
    ['tool_call(a=-"1")', /a literal/],
    ['tool_call(a={1, 2})', /expected ":"/],
    ['tool_call(a={(1,): 2})', /a string or a number as key/],
    ['tool_call(a=[1 for x in y])', /"," or "]"/],
  ])('%s is refused', (source, message) => {
    expect(() => parseToolCall(source)).toThrow(expect.objectContaining({ code: 'input.python-literal' }))
    expect(() => parseToolCall(source)).toThrow(message)
  })

  it('says where it went wrong', () => {
    const source = "tool_call(\n  a='x',\n  b=nope)"
    expect(() => parseToolCall(source)).toThrow(/^Line 3, column 5: expected a literal, found "nope\)"/)
    expect(() => parseToolCall(source)).toThrow(
      expect.objectContaining({
        code: 'input.python-literal',
        details: { position: source.indexOf('nope') },
      }),
    )
  })
})

describe('a Python literal', () => {
  // Each pair by Python 3.11, JSON in place of its values.
  it.each<[string, PythonValue]>([
    ['True', true],
    ['False', false],
    ['None', null],
    ['0', 0],
    ['-0', 0],
    ['-0.0', -0],
    ['+7', 7],
    ['- 5', -5],
    ['1_000_000', 1e6],
    ['00_0', 0],
    ['0xFF', 255],
    ['0X_ff', 255],
    ['-0x10', -16],
    ['0o17', 15],
    ['0b1_01', 5],
    ['1.', 1],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1_0.2_5E-1_0', 10.25e-10],
    ['007.5', 7.5],
    ['1e999', Number.POSITIVE_INFINITY],
    ['9007199254740993', 9007199254740993n],
    ['-0x7fffffffffffffff', -0x7fffffffffffffffn],
    ['[]', []],
    ['[1, [2, [3]],]', [1, [2, [3]]]],
    ['()', []],
    ['(1)', 1],
    ['(1,)', [1]],
    ['(1, 2)', [1, 2]],
    ['("a" "b")', 'ab'],
    ['{}', {}],
    ["{'a': 1, 2: 'b', True: None, None: 0, 1.5: [],}", { a: 1, 2: 'b', true: null, null: 0, '1.5': [] }],
    ["{'a': 1, 'a': 2}", { a: 2 }],
    ["''", ''],
    [`'it\\'s "x"'`, `it's "x"`],
    [`"it's"`, "it's"],
    [`'a' "b" '''c'''`, 'abc'],
    ["'a'\n  'b'", 'ab'],
    ["''''''", ''],
    [`'''a'b''c\n"""d'''`, 'a\'b\'\'c\n"""d'],
    ["'''a\r\nb\rc'''", 'a\nb\nc'],
    ["'a\\\nb'", 'ab'],
    [String.raw`'\a\b\f\n\r\t\v\\\"'`, '\x07\b\f\n\r\t\v\\"'],
    [String.raw`'\0\12\1234\x41\u4f60\U0001F44B'`, '\0\nS4A你👋'],
    [String.raw`'\d\8\ '`, '\\d\\8\\ '],
    [String.raw`r'\d\'\\'`, "\\d\\'\\\\"],
    [String.raw`R"\n" u'\n' U"x"`, '\\n\nx'],
    ["'你好👋'", '你好👋'],
  ])('%s is read', (literal, value) => {
    expect(read(literal)).toEqual(value)
  })

  it.each([
    '1j',
    '007',
    '1__0',
    '1_',
    '0x',
    '0b2',
    '1.2.3',
    '1abc',
    '--1',
    `0x${'f'.repeat(5000)}`,
    "'a",
    "'a\nb'",
    "'\\",
    "'''a''",
    "r'\\'",
    "b'a'",
    "f'a'",
    "rb'a'",
    String.raw`'\x4'`,
    String.raw`'\u12g4'`,
    String.raw`'\U00110000'`,
    String.raw`'\N{BULLET}'`,
    '[1',
    '(1',
    "{'a'}",
    "{'a' 1}",
    "{'a': }",
    '...',
    'lambda: 0',
  ])('%s is refused', (literal) => {
    expect(() => read(literal)).toThrow(expect.objectContaining({ code: 'input.python-literal' }))
  })

  it('may not nest too deeply', () => {
    expect(read(`${'['.repeat(90)}${']'.repeat(90)}`)).toBeInstanceOf(Array)
    for (const open of ['[', '(', '{1:', '{']) {
      expect(() => read(open.repeat(100_000))).toThrow(
        expect.objectContaining({ code: 'input.python-literal' }),
      )
    }
  })
})

describe('arbitrary text for the call of a tool', () => {
  const word = fc.constantFrom(
    ...[
      'tool_call',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '=',
      "'",
      '"',
      "'''",
      '"""',
      '\\',
      '\n',
      ' ',
      '#',
      '-',
    ],
    ...[
      'r',
      'b',
      'x',
      '\\x',
      '\\u',
      '\\N',
      '0',
      '1',
      '_',
      '.',
      'e',
      '0x',
      'True',
      'None',
      '你',
      '👋',
      '\ud83d',
    ],
  )
  const source = fc.oneof(
    fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
    fc.array(word, { maxLength: 40 }).map((words) => `tool_call(a=${words.join('')})`),
    fc.string({ unit: 'binary' }),
  )

  it('gives its arguments or an error with its position', () => {
    fc.assert(
      fc.property(source, (source) => {
        try {
          parseToolCall(source)
        } catch (error) {
          if (!hasCode(error, 'input.python-literal')) throw error
          expect(error.details.position).toBeLessThanOrEqual(source.length)
        }
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    '1',
    ' ',
    '#',
    '#\n',
    '\\',
    "''",
    '"a" ',
    '_',
    '[',
    '1,',
    '-',
    "'\\x",
    'a',
    '1_',
    '1e',
    '\\\n',
    '(',
    '1.',
  ])('is read or refused in linear time: %j a hundred thousand times', (part) => {
    const started = performance.now()
    for (const before of ['', "'", "'''"]) {
      try {
        parseToolCall(`tool_call(a=${before}${part.repeat(100_000)}`)
      } catch (error) {
        expect(error).toMatchObject({ code: 'input.python-literal' })
      }
    }
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('a call that is cut off', () => {
  const CALLS = [
    String.raw`tool_call(a=r'\', b=R"\"x", c='\', d=u"\x41", e='''\''', f=r"""\""")`,
    String.raw`tool_call(a='\u4e2d\101\n', b=[1, -2.5e3, (True, None,)], c={'k': {1: 'v'}}, d=0x_1f) # end`,
    'tool_call(x="one\\\ntwo",\r\ny=\'中文😀\', )',
  ]

  it.each(CALLS)('is refused at every unit: %j', (call) => {
    for (let end = 0; end < call.length; end++) {
      try {
        parseToolCall(call.slice(0, end))
      } catch (error) {
        expect(error).toMatchObject({ code: 'input.python-literal' })
      }
    }
  })

  it('is refused with any of its units left out or replaced', () => {
    const unit = fc.constantFrom('\\', "'", '"', 'r', '\r', '\n', '(', ')', '', '\ud83d')
    const change = fc.tuple(fc.constantFrom(...CALLS), fc.nat(120), fc.nat(120), unit)
    fc.assert(
      fc.property(change, ([call, at, end, unit]) => {
        try {
          parseToolCall((call.slice(0, at) + unit + call.slice(at + 1)).slice(0, end))
        } catch (error) {
          expect(error).toMatchObject({ code: 'input.python-literal' })
        }
      }),
      { numRuns: 5000 },
    )
  })
})

describe('writing the call of a tool', () => {
  it('is as the official preprocessing does it', () => {
    const parameters = { city: 'Paris', days: 2, detail: true, opt: null, q: 'it\'s "x"' }
    expect(formatToolCall(parameters)).toBe(
      `tool_call(city='Paris', days=2, detail=True, opt=None, q='it\\'s "x"')`,
    )
  })

  it('is undone by reading it', () => {
    const { value } = fc.letrec<{ value: PythonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, false),
        // Whole doubles beyond 2^53 come back as bigints.
        fc.double({ noNaN: true, min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
        fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        fc.integer(),
        fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n }),
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', 'a', '\ud83d') }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]\w*$/), value), (parameters) => {
        expect(parseToolCall(formatToolCall(parameters))).toEqual({ ...parameters })
      }),
      { numRuns: 1000 },
    )
  })
})
