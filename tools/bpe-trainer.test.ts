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

  it('cuts in another way if told to', () => {
    expect([...countWords('a+-b', /[a-z]|[-+]+/g).keys()]).toEqual(['a', '+-', 'b'])
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

  it('joins the pair that the words have first, of several that are as frequent', () => {
    expect(learn({ xy: 2, ab: 2 })).toEqual(['xy', 'ab'])
    expect(learn({ abcd: 2 }, 1)).toEqual(['ab'])
  })

  it('counts a joined pair as a neighbour of what stands beside it', () => {
    expect(learn({ abab: 3, cab: 2, ca: 4 })).toEqual(['ab', 'ca', 'abab', 'cab'])
  })

  it('makes no piece that is not accepted, and goes on with others', () => {
    const accepts = (piece: string) => piece.length <= 2
    const counts = new Map([['abcd', 3]])
    expect(trainBpe(counts, { pieces: 9, minimumCount: 1, accepts })).toEqual(['ab', 'cd'])
  })

  it('leaves out pairs that are too rare', () => {
    expect(learn({ ab: 2, xy: 1 })).toEqual(['ab'])
  })

  it('joins a repeated character from the left, each character once', () => {
    expect(learn({ aaaa: 1 }, 1, 1)).toEqual(['aa'])
    expect(learn({ aaaaa: 1 }, 3, 1)).toEqual(['aa', 'aaaa', 'aaaaa'])
  })
})
