/** Text of files and pipes: read exactly, or refused with its line. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasCode } from '../errors/index.js'
import { decodeText, TextReader } from './text.js'

const gbk = Uint8Array.of(0xc4, 0xe3, 0xba, 0xc3)
const bytes = (...parts: (string | Uint8Array)[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as string))))

function failedLine(given: Uint8Array, chunk: number, encoding?: 'gb18030'): number {
  const reader = new TextReader('x', encoding)
  try {
    for (let at = 0; at < given.length; at += chunk) reader.push(given.subarray(at, at + chunk))
    reader.end()
  } catch (error) {
    if (hasCode(error, 'input.encoding')) return error.details.line
    throw error
  }
  return 0
}

describe('text', () => {
  it('is UTF-8, its byte order mark left out', () => {
    expect(decodeText(bytes('\ufeff你好\ufeff'), 'x')).toBe('你好\ufeff')
    expect(decodeText(bytes(''), 'x')).toBe('')
  })

  it('is GB18030 where that is said', () => {
    expect(decodeText(gbk, 'x', 'gb18030')).toBe('你好')
    expect(decodeText(Uint8Array.of(0x81, 0x39, 0xee, 0x39), 'x', 'gb18030')).toBe('㐀')
  })

  it('is refused in any other encoding, and said how to read it', () => {
    expect(() => decodeText(gbk, 'a.jsonl')).toThrow(
      'a.jsonl, line 1: the bytes are no UTF-8 text. Save the file as UTF-8, or give its encoding: gb18030',
    )
    expect(() => decodeText(gbk, 'x', 'latin1' as 'gb18030')).toThrow('expected utf-8 or gb18030')
  })

  it.each([1, 2, 3, 5, 7, 1000])('has the line of its mistake, in pieces of %i bytes', (chunk) => {
    expect(failedLine(bytes('你\n好\n\n', gbk, '\n好'), chunk)).toBe(4)
    expect(failedLine(bytes(gbk), chunk)).toBe(1)
    expect(failedLine(bytes('a\r\n你', Uint8Array.of(0xe4, 0xbd)), chunk)).toBe(2)
    expect(failedLine(bytes('a\n', Uint8Array.of(0xff), '\n'), chunk, 'gb18030')).toBe(2)
    expect(failedLine(bytes('a\n', gbk, '\n', gbk), chunk, 'gb18030')).toBe(0)
  })

  it('is the same in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 9 }), (text, chunk) => {
        const given = new TextEncoder().encode(text)
        const reader = new TextReader('x')
        let read = ''
        for (let at = 0; at < given.length; at += chunk) read += reader.push(given.subarray(at, at + chunk))
        reader.end()
        expect(read).toBe(new TextDecoder().decode(given))
      }),
      { seed: 5, numRuns: 300 },
    )
  })
})
