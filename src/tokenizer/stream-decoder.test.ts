import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { smallSentencePiece, smallTokenizer } from '../../test/fixtures/text/small-tokenizer.js'
import { StreamDecoder } from './stream-decoder.js'

const tokenizer = smallTokenizer
const byteIds = (text: string) => Array.from(new TextEncoder().encode(text), (byte) => 3 + byte)

function deltasOf(ids: readonly number[]): string[] {
  const decoder = new StreamDecoder(tokenizer)
  return [...ids.map((id) => decoder.push(id)), decoder.flush()]
}

/** Ids as a model makes them: pieces, special tokens, whole characters in bytes, and bytes in any order. */
const ids = fc
  .array(
    fc.oneof(
      fc.integer({ min: -1, max: tokenizer.vocabSize }).map((id) => [id]),
      fc.integer({ min: 3, max: 258 }).map((id) => [id]),
      fc.constantFrom(0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0x8f, 0x9f, 0xa0, 0xbf).map((byte) => [3 + byte]),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }).map(byteIds),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.flat())

describe('decoding a stream', () => {
  it('gives the text of the original SentencePiece', () => {
    for (const { ids, text } of smallSentencePiece.decode)
      expect([ids, deltasOf(ids).join('')]).toEqual([ids, text])
  })

  it('gives all deltas together exactly what decoding all ids gives', () => {
    fc.assert(
      fc.property(ids, (ids) => {
        expect(deltasOf(ids).join('')).toBe(tokenizer.decode(ids))
      }),
      { numRuns: 2000 },
    )
  })

  it('never ends a delta within a character', () => {
    fc.assert(
      fc.property(ids, (ids) => {
        for (const delta of deltasOf(ids)) expect(delta).not.toMatch(/\p{Surrogate}/u)
      }),
    )
  })

  it('holds the bytes of a character back until it is whole', () => {
    expect(deltasOf(byteIds('é👋a'))).toEqual(['', 'é', '', '', '', '👋', 'a', ''])
  })

  it('gives U+FFFD for each byte as soon as it can belong to no character', () => {
    expect(deltasOf([0xf0, 0x9f, 0x41].map((byte) => 3 + byte))).toEqual(['', '', '\ufffd\ufffdA', ''])
    expect(deltasOf([0xff, 0x80].map((byte) => 3 + byte))).toEqual(['\ufffd', '\ufffd', ''])
    expect(deltasOf([0xe4, 0xbd].map((byte) => 3 + byte))).toEqual(['', '', '\ufffd\ufffd'])
  })

  it('decodes valid UTF-8 and nothing else, as the platform does', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 4 }), (bytes) => {
        const text = tokenizer.decode(Array.from(bytes, (byte) => 3 + byte))
        let expected: string | undefined
        try {
          expected = strict.decode(bytes)
        } catch {}
        if (expected === undefined) expect(text).toContain('\ufffd')
        else expect(text).toBe(expected)
      }),
      { numRuns: 3000 },
    )
  })

  it('takes the space before the text once', () => {
    const space = 259 + smallSentencePiece.pieces.indexOf('▁')
    const [a] = tokenizer.encode('a')
    expect(deltasOf([space, space, a])).toEqual(['', ' ', ' a', ''])
    expect(deltasOf([1, a])).toEqual(['', 'a', ''])
    expect(deltasOf([tokenizer.special.user, a])).toEqual(['<|user|>', ' a', ''])
  })
})
