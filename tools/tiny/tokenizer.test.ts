import { describe, expect, it } from 'vitest'
import { Tokenizer } from '../../src/index.js'
import { trainingRecords } from './corpus/corpus.js'
import { smallModelTokenizerFile, TOKENS, textsOf } from './tokenizer.js'

describe('the tokenizer of the small model', () => {
  const tokenizer = Tokenizer.fromSentencePiece(smallModelTokenizerFile())
  const encode = (text: string) => tokenizer.encode(text)
  const isByte = (id: number) => id >= 3 && id < 259

  it('has as many tokens as the embedding has rows, a multiple of 64', () => {
    expect(tokenizer.special.observation).toBe(TOKENS - 1)
    expect(TOKENS % 64).toBe(0)
  })

  it('gives back what it took, of the corpus and of other texts', () => {
    const texts = [...trainingRecords(7, 1000)].flatMap(textsOf)
    texts.push('饕餮盛宴 🎉', '    indented\n\tand tabbed', 'naïve café', '２０２４年')
    for (const text of texts) expect(tokenizer.decode(encode(text))).toBe(text)
  })

  it('writes every digit by itself', () => {
    const ids = encode('1234567890')
    expect(ids).toHaveLength(11)
    expect(ids.some(isByte)).toBe(false)
  })

  it('writes the corpus without bytes but for line breaks', () => {
    for (const record of trainingRecords(8, 1000)) {
      for (const text of textsOf(record)) expect(encode(text.replaceAll('\n', ' ')).some(isByte)).toBe(false)
    }
  })

  it('has pieces for indentation, and for the signs of JSON', () => {
    expect(encode(`\n${' '.repeat(8)}"name": "x"`).length).toBeLessThan(10)
  })

  it('has no piece of more than four Chinese characters, which would be sentences of the corpus', () => {
    for (let id = 259; id < TOKENS - 9; id++) {
      expect(tokenizer.vocabulary.piece(id)).not.toMatch(/\p{Script=Han}.{4}/u)
    }
  })

  it('needs fewer tokens than characters', () => {
    const text = '你好！我是一个小模型，很高兴见到你。今天天气真好，适合出去散步。'
    expect(encode(text).length).toBeLessThan(text.length * 0.75)
  })
})
