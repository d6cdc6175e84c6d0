import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  smallModelBytes,
  smallSentencePiece,
  smallTokenizer,
} from '../../test/fixtures/text/small-tokenizer.js'
import { readSentencePieceModel } from './sentencepiece.js'
import { chatglmSentencePieceModel, writeSentencePieceModel } from './sentencepiece-writer.js'
import { SPECIAL_TOKENS } from './special-tokens.js'
import { Tokenizer } from './tokenizer.js'
import { tokenizerJsonFromSentencePiece } from './tokenizer-json.js'

const { pieces } = smallSentencePiece
const pieceCount = 259 + pieces.length
const tokenizer = smallTokenizer

/** SentencePiece's encoding by its definition: merge the best pair, the first of equals, until there is none. */
function encodeByDefinition(text: string): number[] {
  if (text === '') return []
  const symbols = Array.from(`▁${text.replaceAll(' ', '▁')}`)
  for (;;) {
    let best = -1
    let bestRank = Number.POSITIVE_INFINITY
    for (let i = 0; i + 1 < symbols.length; i++) {
      const rank = pieces.indexOf(symbols[i] + symbols[i + 1])
      if (rank !== -1 && rank < bestRank) [best, bestRank] = [i, rank]
    }
    if (best === -1) break
    symbols.splice(best, 2, symbols[best] + symbols[best + 1])
  }
  return symbols.flatMap((symbol) => {
    const rank = pieces.indexOf(symbol)
    return rank === -1 ? Array.from(new TextEncoder().encode(symbol), (byte) => 3 + byte) : [259 + rank]
  })
}

/** Texts that the small model has many pieces for, and others. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from('aab '), ','), maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...pieces.map((piece) => piece.replaceAll('▁', ' '))), maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
)

describe('encoding', () => {
  it('gives the ids of the original SentencePiece', () => {
    for (const { text, ids } of smallSentencePiece.encode)
      expect([text, tokenizer.encode(text)]).toEqual([text, ids])
  })

  it('is SentencePiece by its definition for any text, whatever was encoded before', () => {
    fc.assert(
      fc.property(text, (text) => {
        expect(tokenizer.encode(text)).toEqual(encodeByDefinition(text))
      }),
      {
        numRuns: 2000,
      },
    )
  })

  it('loses nothing: decoding gives the text back', () => {
    fc.assert(
      fc.property(text, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.replaceAll('▁', ' '))
      }),
    )
  })

  it('turns unpaired surrogates into U+FFFD', () => {
    expect(tokenizer.encode('a\ud83d')).toEqual(tokenizer.encode('a\ufffd'))
    expect(tokenizer.encode('\udc4b\ud83d')).toEqual(tokenizer.encode('\ufffd\ufffd'))
    expect(tokenizer.decode(tokenizer.encode('\ud83d\udc4b'))).toBe('👋')
  })

  it('keeps the names of special and byte tokens in text as text', () => {
    for (const name of [...SPECIAL_TOKENS, '<unk>', '<s>', '</s>', '<0x0A>']) {
      const ids = tokenizer.encode(name)
      expect(ids.filter((id) => tokenizer.isSpecial(id))).toEqual([])
      expect(tokenizer.decode(ids)).toBe(name)
    }
  })

  it('recognises the nine special tokens on request, and encodes each text between them by itself', () => {
    const { user, gMask, sop } = tokenizer.special
    expect(tokenizer.encode('[gMASK]sop<|user|>\n 你好', { allowSpecial: true })).toEqual([
      gMask,
      sop,
      user,
      ...tokenizer.encode('\n 你好'),
    ])
    expect(tokenizer.encode(SPECIAL_TOKENS.join(''), { allowSpecial: true })).toEqual(
      SPECIAL_TOKENS.map((_, index) => pieceCount + index),
    )
    expect(tokenizer.encode('<s>', { allowSpecial: true })).toEqual(tokenizer.encode('<s>'))
    expect(tokenizer.encode('', { allowSpecial: true })).toEqual([])
  })

  it('puts [gMASK] sop before a prompt', () => {
    const { gMask, sop, assistant } = tokenizer.special
    expect(tokenizer.encodePrompt('the ring')).toEqual([gMask, sop, ...tokenizer.encode('the ring')])
    expect(tokenizer.encodePrompt('<|assistant|>', { allowSpecial: true })).toEqual([gMask, sop, assistant])
  })

  it.each([
    ['without a space', '你好的世界们，'.repeat(50_000)],
    ['of one letter', 'a'.repeat(50_000)],
    ['of spaces', ' '.repeat(50_000)],
  ])('takes a very long line %s in one call', (_, line) => {
    expect(tokenizer.decode(tokenizer.encode(line)) === line).toBe(true)
  })
})

describe('decoding', () => {
  it('gives the text of the original SentencePiece', () => {
    for (const { ids, text } of smallSentencePiece.decode)
      expect([ids, tokenizer.decode(ids)]).toEqual([ids, text])
  })

  it('writes special tokens by name, and nothing for <unk>, <s>, </s> and ids that are no token', () => {
    const [a] = tokenizer.encode('a')
    const { user } = tokenizer.special
    expect(tokenizer.decode([user, a])).toBe('<|user|> a')
    for (const id of [0, 1, 2, -1, tokenizer.vocabSize, 65023, 1e9, 0.5, Number.NaN]) {
      expect(tokenizer.decode([id])).toBe('')
      expect(tokenizer.decode([id, a, id])).toBe('a')
    }
  })
})

describe('the tokens of a model', () => {
  it('are its pieces, then the nine special tokens', () => {
    expect(tokenizer.vocabSize).toBe(pieceCount + 9)
    expect(tokenizer.special).toEqual({
      unk: 0,
      bos: 1,
      eos: 2,
      pad: 0,
      mask: pieceCount,
      gMask: pieceCount + 1,
      sMask: pieceCount + 2,
      sop: pieceCount + 3,
      eop: pieceCount + 4,
      system: pieceCount + 5,
      user: pieceCount + 6,
      assistant: pieceCount + 7,
      observation: pieceCount + 8,
    })
    expect(tokenizer.vocabulary.piece(pieceCount + 1)).toBe('[gMASK]')
    expect(tokenizer.vocabulary.piece(259)).toBe(pieces[0])
    expect(tokenizer.vocabulary.piece(pieceCount + 9)).toBeUndefined()
  })

  it('that end an answer are </s>, <|user|> and <|observation|>', () => {
    const { eos, user, observation } = tokenizer.special
    expect(tokenizer.stopIds).toEqual([eos, user, observation])
  })

  it('may have a name that a JavaScript object treats in its own way, or that of a special token', () => {
    const names = ['__proto__', 'constructor', 'sop']
    const parts = names.flatMap((name) => Array.from(name, (_, end) => name.slice(0, end + 1)).reverse())
    const letters = Array.from(new Set(names.join('')))
    const strange = Tokenizer.fromSentencePiece(
      writeSentencePieceModel(chatglmSentencePieceModel([...new Set([...parts, ...letters])])),
    )
    for (const name of names) {
      const ids = strange.encode(name)
      expect(ids.map((id) => strange.vocabulary.piece(id))).toContain(name)
      expect(ids.some((id) => strange.isSpecial(id))).toBe(false)
    }
  })
})

describe('a tokenizer.json', () => {
  const json = () => tokenizerJsonFromSentencePiece(readSentencePieceModel(smallModelBytes()))
  const texts = smallSentencePiece.encode.map(({ text }) => text)

  it('made from the SentencePiece model gives the same tokenizer, as text and as object', () => {
    for (const source of [JSON.stringify(json()), json()]) {
      const read = Tokenizer.fromJson(source)
      expect(read.special).toEqual(tokenizer.special)
      expect(texts.map((text) => read.encode(text))).toEqual(texts.map((text) => tokenizer.encode(text)))
    }
  })

  it('may write merges as text with a space', () => {
    const { model, ...rest } = json()
    const merges = model.merges.map((merge) => merge.join(' '))
    const read = Tokenizer.fromJson({ ...rest, model: { ...model, merges } })
    expect(texts.map((text) => read.encode(text))).toEqual(texts.map((text) => tokenizer.encode(text)))
  })

  const without = (vocab: Record<string, number>, piece: string) =>
    Object.fromEntries(Object.entries(vocab).filter(([name]) => name !== piece))

  it.each<[string, (json: ReturnType<typeof tokenizerJsonFromSentencePiece>) => unknown, RegExp]>([
    ['is no JSON', () => '{"model": ', /expected JSON/],
    ['is no object', () => 'null', /model\.type to be "BPE", found nothing/],
    ['is a unigram model', (json) => ({ ...json, model: { type: 'Unigram' } }), /found "Unigram"/],
    ['normalizes', (json) => ({ ...json, normalizer: { type: 'NFKC' } }), /normalizer/],
    ['splits words', (json) => ({ ...json, pre_tokenizer: { type: 'Metaspace' } }), /pre_tokenizer/],
    [
      'has no byte fallback',
      ({ model, ...json }) => ({ ...json, model: { ...model, byte_fallback: false } }),
      /byte_fa/,
    ],
    [
      'has no special tokens',
      (json) => ({ ...json, added_tokens: [] }),
      /\[MASK\] as id \d+, after the pieces/,
    ],
    [
      'has an id beyond its pieces',
      ({ model, ...json }) => ({ ...json, model: { ...model, vocab: { ...model.vocab, a: 2 ** 31 } } }),
      /number its \d+ pieces, found 2147483648 for "a"/,
    ],
    [
      'has no byte pieces',
      ({ model, ...json }) => ({
        ...json,
        model: { ...model, vocab: { ...without(model.vocab, '<0x00>'), x: model.vocab['<0x00>'] } },
      }),
      /no <0x00>/,
    ],
    [
      'merges what is no piece',
      ({ model, ...json }) => ({ ...json, model: { ...model, merges: [['x', 'y']] } }),
      /merges\[0\] to make a piece of text, found "xy"/,
    ],
    [
      'merges text to a control token',
      ({ model, ...json }) => ({ ...json, model: { ...model, merges: [['<', '/s>']] } }),
      /merges\[0\] to make a piece of text/,
    ],
    [
      'merges three parts',
      ({ model, ...json }) => ({ ...json, model: { ...model, merges: ['a b c'] } }),
      /merges\[0\] to be two pieces/,
    ],
  ])('is refused if it %s', (_, change, message) => {
    const changed = change(json()) as object
    expect(() => Tokenizer.fromJson(changed, { file: 'x/tokenizer.json' })).toThrow(
      expect.objectContaining({ code: 'checkpoint.tokenizer-invalid' }),
    )
    expect(() => Tokenizer.fromJson(changed, { file: 'x/tokenizer.json' })).toThrow(message)
    expect(() => Tokenizer.fromJson(changed, { file: 'x/tokenizer.json' })).toThrow(/^x\/tokenizer\.json: /)
  })

  it('is read or refused whatever stands in it', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.constantFrom('added_tokens', 'normalizer', 'pre_tokenizer', 'model'),
        (value, key) => {
          for (const source of [value, { ...json(), [key]: JSON.parse(value) }]) {
            try {
              Tokenizer.fromJson(source)
            } catch (error) {
              expect(error).toMatchObject({ code: 'checkpoint.tokenizer-invalid' })
            }
          }
        },
      ),
    )
  })
})
