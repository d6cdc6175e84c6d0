import { describe, expect, it } from 'vitest'
import { count, formatBytes, formatDuration, significant } from './format.js'
import { columns, wrap } from './wrap.js'

describe('amounts for people', () => {
  it.each([
    [0, '0 B'],
    [45.6, '46 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_400, '999 kB'],
    [999_600, '1.0 MB'],
    [12_480_000_000, '12.5 GB'],
    [340_000_000, '340 MB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [45.2, '45 s'],
    [200, '3 min 20 s'],
    [7530, '2 h 5 min'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })

  it('keeps three digits of a measurement', () => {
    expect([0.4, 8.14, 99.94, 99.96, 812.4].map(significant)).toEqual(['0.4', '8.1', '99.9', '100', '812'])
  })

  it('counts in words', () => {
    expect([count(1, 'token'), count(0, 'token'), count(12_000, 'record')]).toEqual([
      '1 token',
      '0 tokens',
      '12,000 records',
    ])
  })
})

describe('lines for a terminal', () => {
  it('counts wide characters as two columns and colours as none', () => {
    expect(columns('abc')).toBe(3)
    expect(columns('你好，a')).toBe(7)
    expect(columns('\x1b[31merror:\x1b[39m no')).toBe(9)
    expect(columns('👋 hi')).toBe(5)
  })

  it('break between words, by columns and not by characters', () => {
    expect(wrap('one two three four', 9)).toBe('one two\nthree\nfour')
    expect(wrap('你好 世界 你好', 9)).toBe('你好 世界\n你好')
    expect(wrap('a\n\nb', 10)).toBe('a\n\nb')
  })

  it('keep a word that is too long, such as a path, in one piece', () => {
    expect(wrap('see /a/very/long/path now', 8)).toBe('see\n/a/very/long/path\nnow')
  })

  it('keep the spaces at their beginning, which are an indent', () => {
    expect(wrap('  a b', 10)).toBe('  a b')
  })
})
