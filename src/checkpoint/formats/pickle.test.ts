import { describe, expect, test } from 'vitest'
import { utf8 } from '../testing.js'
import { PickleGlobal, readPickle } from './pickle.js'

const globals = new Map([
  ['a.pair', new PickleGlobal('a.pair', (args) => ({ pair: args }))],
  ['a.constant', new PickleGlobal('a.constant')],
])

/** Joins opcodes, given as bytes or text. */
function pickle(...parts: (number | string)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...utf8(part)])))
}

const read = (...parts: (number | string)[]) =>
  readPickle(pickle(...parts), { name: 'p', globals, persistentLoad: (id) => ({ id }) })

describe('plain data is read', () => {
  test('numbers, strings and constants', () => {
    expect(read('K', 255, '.')).toBe(255)
    expect(read('M', 1, 2, '.')).toBe(513)
    expect(read('J', 0xfe, 0xff, 0xff, 0xff, '.')).toBe(-2)
    expect(read(0x8a, 0, '.')).toBe(0)
    expect(read(0x8a, 1, 0xff, '.')).toBe(-1)
    expect(read(0x8a, 5, 0, 0, 0, 0, 1, '.')).toBe(2 ** 32)
    expect(read('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, '.')).toBe(1.5)
    expect(read('X', 3, 0, 0, 0, '名', '.')).toBe('名')
    expect(read(0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, 0x8c, 1, 'a', 0x94, '.')).toBe('a')
    expect(read('(N', 0x88, 0x89, 't.')).toEqual([null, true, false])
  })

  test('tuples, lists and dicts, nested', () => {
    expect(read('K', 1, 0x85, '.')).toEqual([1])
    expect(read('K', 1, 'K', 2, 'K', 3, 0x87, '.')).toEqual([1, 2, 3])
    expect(read(']K', 1, 'a(K', 2, 'K', 3, 'e.')).toEqual([1, 2, 3])
    expect(read('}K', 1, ')s(K', 2, ']u.')).toEqual(
      new Map([
        [1, []],
        [2, []],
      ]),
    )
  })

  test('the memo gives the same object again, also to itself', () => {
    const [a, b] = read(']q', 5, 'h', 5, 0x86, '.') as unknown[]
    expect(a).toBe(b)
    const cycle = read(']r', 1, 2, 3, 4, 'j', 1, 2, 3, 4, 'a.') as unknown[]
    expect(cycle[0]).toBe(cycle)
  })

  test('allowed globals are called, persistent ids are loaded, the attributes of a dict are dropped', () => {
    expect(read('ca\npair\nK', 1, 'K', 2, 0x86, 'R.')).toEqual({ pair: [1, 2] })
    expect(read(0x8c, 1, 'a', 0x8c, 4, 'pair', 0x93, ')R.')).toEqual({ pair: [] })
    expect(read('K', 7, 'Q.')).toEqual({ id: 7 })
    expect(read('}}b.')).toEqual(new Map())
  })
})

describe('what could run code is refused', () => {
  test('a global that is not allowed, by its name', () => {
    expect(() => read('cos\nsystem\n.')).toThrow(
      expect.objectContaining({ code: 'checkpoint.unsafe-pickle' }),
    )
    expect(() => read('cos\nsystem\n.')).toThrow(/"os\.system"/)
    expect(() => read('ca\npair.__globals__\n.')).toThrow(
      expect.objectContaining({ code: 'checkpoint.unsafe-pickle' }),
    )
    expect(() => read('c\n__proto__\n.')).toThrow(
      expect.objectContaining({ code: 'checkpoint.unsafe-pickle' }),
    )
  })

  test('opcodes of objects, instances, extensions and other buffers, by their code', () => {
    for (const opcode of ['i', 'o', 0x81, 0x92, 0x82, 0x83, 0x84, 'P', 0x97, 0x98, 'S', 'I']) {
      expect(() => read(')', opcode, 'a\nb\n.')).toThrow(
        expect.objectContaining({ code: 'checkpoint.unsafe-pickle' }),
      )
    }
    expect(() => read(')', 0x81, '.')).toThrow(/0x81 at byte 1/)
  })

  test('a call of something that is no function, and the state of something that is no dict', () => {
    expect(() => read('ca\nconstant\n)R.')).toThrow(/calls a\.constant/)
    expect(() => read('))R.')).toThrow(expect.objectContaining({ code: 'checkpoint.unsafe-pickle' }))
    expect(() => read('ca\npair\nK', 1, 'R.')).toThrow(
      expect.objectContaining({ code: 'checkpoint.unsafe-pickle' }),
    )
    expect(() => read('ca\npair\n)R}b.')).toThrow(
      expect.objectContaining({ code: 'checkpoint.unsafe-pickle' }),
    )
  })
})

describe('a malformed stream is refused', () => {
  const malformed: [string, (number | string)[]][] = [
    ['without an end', ['K', 1]],
    ['empty', []],
    ['with an empty stack', ['.']],
    ['that pops a mark', ['(.']],
    ['that closes no mark', ['t.']],
    ['with a string longer than the stream', ['X', 0xff, 0xff, 0xff, 0xff, '.']],
    ['with a string that is no UTF-8', ['X', 1, 0, 0, 0, 0xff, '.']],
    ['with a global without its second line', ['ca\n']],
    ['with an integer beyond 2^53', [0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x7f, '.']],
    ['that recalls nothing', ['h', 1, '.']],
    ['that stores nothing', ['q', 1, '.']],
    ['that appends to a dict', ['}K', 1, 'a.']],
    ['that sets items of a list', [']K', 1, 'K', 2, 's.']],
    ['with a key without a value', ['}(K', 1, 'u.']],
    ['with a global whose name is no string', ['K', 1, 'K', 2, 0x93, '.']],
    ['of an unknown protocol', [0x80, 6, '.']],
  ]
  for (const [what, parts] of malformed) {
    test(what, () =>
      expect(() => read(...parts)).toThrow(expect.objectContaining({ code: 'checkpoint.corrupt' })),
    )
  }
})
