import { describe, expect, it } from 'vitest'
import { countWords, trainBpe } from './bpe-trainer.js'

describe('countWords', () => {
  it('keeps a space with the Latin word behind it, and Chinese characters together', () => {
    expect([...countWords('the cat，你好 the')]).toEqual([
      ['the', 1],
      ['▁cat', 1],
      ['，', 1],
      ['你好', 1],
      ['▁the', 1],
    ])
  })

  it('counts digits one by one, since the tokenizer knows no numbers of several digits', () => {
    expect([...countWords('121')]).toEqual([
      ['1', 2],
      ['2', 1],
    ])
  })

  it('keeps indentation together and drops line breaks', () => {
    expect([...countWords('\n    if\n    if')]).toEqual([
      ['▁▁▁▁', 2],
      ['if', 2],
    ])
  })
})

describe('trainBpe', () => {
  const learn = (counts: Record<string, number>, pieces = 100, minimumCount = 2) =>
    trainBpe(new Map(Object.entries(counts)), { pieces, minimumCount })

  it('learns the most frequent pair first and builds on it', () => {
    expect(learn({ abc: 5, ab: 2, xy: 3 })).toEqual(['ab', 'abc', 'xy'])
  })

  it('stops at the number of pieces asked for', () => {
    expect(learn({ abc: 5, ab: 2, xy: 3 }, 2)).toEqual(['ab', 'abc'])
  })

  it('leaves out pairs that are too rare', () => {
    expect(learn({ ab: 2, xy: 1 })).toEqual(['ab'])
  })

  it('joins a repeated character from the left, each character once', () => {
    expect(learn({ aaaa: 1 }, 1, 1)).toEqual(['aa'])
    expect(learn({ aaaaa: 1 }, 3, 1)).toEqual(['aa', 'aaaa', 'aaaaa'])
  })
})
