import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { smallModelBytes, smallSentencePiece } from '../../test/fixtures/text/small-tokenizer.js'
import { ModelType, PieceType, readSentencePieceModel, type SentencePieceModel } from './sentencepiece.js'
import { chatglmSentencePieceModel, writeSentencePieceModel } from './sentencepiece-writer.js'
import { Tokenizer } from './tokenizer.js'

const bytesOf = (...values: number[]) => Uint8Array.from(values)
const ascii = (text: string) => new TextEncoder().encode(text)
const small = (change: (model: SentencePieceModel) => unknown = () => {}) => {
  const model = chatglmSentencePieceModel(['ab', 'a', 'b', '▁'])
  change(model)
  return writeSentencePieceModel(model)
}

describe('reading a SentencePiece model', () => {
  it('gives the pieces and options that the original library wrote', () => {
    expect(readSentencePieceModel(smallModelBytes())).toEqual(
      chatglmSentencePieceModel(smallSentencePiece.pieces),
    )
  })

  it('gives back what was written, whatever the options', () => {
    const charsmap = fc.uint8Array({ maxLength: 300 })
    const model = fc.record<SentencePieceModel>({
      pieces: fc.array(
        fc.record({
          piece: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
          score: fc.float({ noNaN: true, noDefaultInfinity: true }),
          type: fc.constantFrom(...Object.values(PieceType)),
        }),
        { minLength: 1 },
      ),
      trainer: fc.record({
        modelType: fc.constantFrom(...Object.values(ModelType)),
        byteFallback: fc.boolean(),
        treatWhitespaceAsSuffix: fc.boolean(),
        unkId: fc.integer(),
        bosId: fc.integer(),
        eosId: fc.integer(),
      }),
      normalizer: fc.record({
        precompiledCharsmap: charsmap,
        addDummyPrefix: fc.boolean(),
        removeExtraWhitespaces: fc.boolean(),
        escapeWhitespaces: fc.boolean(),
      }),
      denormalizerCharsmap: charsmap,
    })
    fc.assert(
      fc.property(model, (written) => {
        expect(readSentencePieceModel(writeSentencePieceModel(written))).toEqual(written)
      }),
    )
  })

  it('skips fields that it does not know, of every wire type', () => {
    const unknown = bytesOf(0x78, 0x80, 0x01, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 2, 9, 9, 0x7d, 1, 2, 3, 4)
    const model = small()
    expect(readSentencePieceModel(bytesOf(...unknown, ...model))).toEqual(readSentencePieceModel(model))
  })

  it.each([
    ['an empty file', bytesOf(), /empty file/],
    ['a Git LFS pointer', ascii('version https://git-lfs.github.com/spec/v1\noid sha256:e7'), /git lfs pull/],
    ['a web page', ascii('<!DOCTYPE html>'), /a web page.*Download the file again/],
    ['a tokenizer.json', ascii('{"model": {}}'), /Tokenizer\.fromJson/],
    ['a length that goes over the end', bytesOf(0x0a, 0x7f, 0x0a), /a length of at most the 1 bytes/],
    ['a length of 2^31', bytesOf(0x0a, 0x80, 0x80, 0x80, 0x80, 0x08, 0), /a length of at most/],
    ['a length of 2^63', bytesOf(0x0a, ...Array(9).fill(0x80), 0x01), /a length of at most/],
    ['a varint without end', bytesOf(0x78, ...Array(11).fill(0xff)), /a varint of at most 10 bytes/],
    ['field number 0', bytesOf(0x02, 0x00), /a field number/],
    ['a deprecated group', bytesOf(0x0b), /wire type 3/],
    ['a number where pieces belong', bytesOf(0x08, 0x01), /wire type bytes/],
    ['a name that is no UTF-8', bytesOf(0x0a, 0x03, 0x0a, 0x01, 0xff), /text in UTF-8 at byte 3/],
    ['an empty name', bytesOf(0x0a, 0x02, 0x0a, 0x00), /piece 0 to have 1 to 256 characters/],
    ['a piece type of the future', bytesOf(0x0a, 0x05, 0x0a, 0x01, 0x61, 0x18, 0x09), /type 9/],
    ['no piece at all', bytesOf(0x12, 0x00), /a list of pieces/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSentencePieceModel(bytes, 'some.model')).toThrow(
      expect.objectContaining({ code: 'checkpoint.tokenizer-invalid' }),
    )
    expect(() => readSentencePieceModel(bytes, 'some.model')).toThrow(message)
    expect(() => readSentencePieceModel(bytes, 'some.model')).toThrow(/^some\.model: expected /)
  })
})

describe('a SentencePiece model of another kind', () => {
  it.each<[string, (model: SentencePieceModel) => unknown, RegExp]>([
    [
      'unigram',
      ({ trainer }) => Object.assign(trainer, { modelType: ModelType.unigram }),
      /model_type to be 2, found 1/,
    ],
    [
      'no byte fallback',
      ({ trainer }) => Object.assign(trainer, { byteFallback: false }),
      /byte_fallback to be true/,
    ],
    [
      'spaces as suffix',
      ({ trainer }) => Object.assign(trainer, { treatWhitespaceAsSuffix: true }),
      /as_suffix to be false/,
    ],
    [
      'no dummy prefix',
      ({ normalizer }) => Object.assign(normalizer, { addDummyPrefix: false }),
      /add_dummy_prefix/,
    ],
    [
      'spaces removed',
      ({ normalizer }) => Object.assign(normalizer, { removeExtraWhitespaces: true }),
      /extra_whitespaces/,
    ],
    [
      'spaces kept',
      ({ normalizer }) => Object.assign(normalizer, { escapeWhitespaces: false }),
      /escape_whitespaces/,
    ],
    [
      'normalization rules',
      ({ normalizer }) => Object.assign(normalizer, { precompiledCharsmap: bytesOf(1, 2) }),
      /bytes of normalization rules to be 0, found 2/,
    ],
    [
      'denormalization rules',
      (model) => Object.assign(model, { denormalizerCharsmap: bytesOf(1) }),
      /bytes of normalization rules to be 0, found 1/,
    ],
    ['another <unk>', ({ trainer }) => Object.assign(trainer, { unkId: 5 }), /piece 5 to be <unk>/],
    [
      'no </s>',
      ({ trainer }) => Object.assign(trainer, { eosId: -1 }),
      /piece -1 to be <\/s> of type 3, found no such piece/,
    ],
    [
      'user-defined pieces',
      ({ pieces }) => Object.assign(pieces[260], { type: PieceType.userDefined }),
      /"a" of type 4/,
    ],
    [
      'unused pieces',
      ({ pieces }) => Object.assign(pieces[260], { type: PieceType.unused }),
      /"a" of type 5/,
    ],
    ['a piece twice', ({ pieces }) => Object.assign(pieces[260], { piece: 'b' }), /"b" again as piece 261/],
    ['a byte missing', ({ pieces }) => Object.assign(pieces[7], { piece: 'x' }), /no <0x04>/],
    [
      'equal scores',
      ({ pieces }) => pieces.push({ piece: 'ba', score: -1, type: PieceType.normal }),
      /score -1 for "ab" and "ba"/,
    ],
  ])('is refused: %s', (_, change, message) => {
    const bytes = small(change)
    expect(() => Tokenizer.fromSentencePiece(bytes, { file: 'other.model' })).toThrow(
      expect.objectContaining({ code: 'checkpoint.tokenizer-invalid' }),
    )
    expect(() => Tokenizer.fromSentencePiece(bytes, { file: 'other.model' })).toThrow(message)
    expect(() => Tokenizer.fromSentencePiece(bytes)).toThrow(
      /Use the tokenizer\.model of a ChatGLM3 checkpoint/,
    )
  })
})

describe('a damaged SentencePiece model', () => {
  const load = (bytes: Uint8Array) => {
    try {
      Tokenizer.fromSentencePiece(bytes).encode('the ring 你好')
    } catch (error) {
      expect(error).toMatchObject({ code: 'checkpoint.tokenizer-invalid' })
    }
  }

  it('gives a tokenizer or an error of the file, with any bytes changed', () => {
    const original = smallModelBytes()
    const offset = fc.nat(original.length - 1)
    const change = fc.tuple(offset, fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = original.slice()
        for (const [at, value] of changes) bytes[at] = value
        load(bytes)
      }),
      { numRuns: 400 },
    )
  })

  it('gives a tokenizer or an error of the file, cut at any place', () => {
    const original = smallModelBytes()
    for (let length = 0; length < original.length; length += 7) load(original.subarray(0, length))
  })

  it('gives an error of the file for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => readSentencePieceModel(bytes)).toThrow(
          expect.objectContaining({ code: 'checkpoint.tokenizer-invalid' }),
        )
      }),
      // A single valid piece is a model as well, and shorter than chance will find.
      { numRuns: 1000, seed: 1 },
    )
  })
})
