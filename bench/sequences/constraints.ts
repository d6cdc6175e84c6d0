import { type Constraint, GrammarEngine, jsonSchemaGrammar } from '../common/internals.js'
import { randomSource } from '../common/random.js'

/** An answer in JSON that is longer than any that is measured. */
const SCHEMA = {
  type: 'array',
  minItems: 500,
  items: {
    type: 'object',
    properties: {
      name: { type: 'string' },
      age: { type: 'integer', minimum: 0, maximum: 130 },
      city: { enum: ['北京', '上海', 'Paris'] },
      tags: { type: 'array', items: { type: 'string' }, maxItems: 4 },
    },
    required: ['name', 'age', 'city', 'tags'],
  },
}

const PUNCTUATION = [
  // Every vocabulary has a space: as a byte it is not used.
  '▁',
  '▁[{"',
  '{"',
  '"}',
  '":',
  '",',
  '"]',
  '▁"',
  ',',
  ':',
  '"',
  '[',
  ']',
  '{',
  '}',
  '},',
  '▁{"',
]

/** Texts of as many tokens as a model has, for random weights: bytes, punctuation, words with a space before them or none, characters. */
function randomTexts(vocabulary: number): string[] {
  const random = randomSource(11)
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low))
  const text = (first: number, last: number, longest: number) =>
    Array.from({ length: between(1, longest) }, () => String.fromCodePoint(between(first, last))).join('')
  return Array.from({ length: vocabulary }, (_, id) => {
    if (id < PUNCTUATION.length) return PUNCTUATION[id].replaceAll('▁', ' ')
    if (id % 2 === 0) return text(0x4e00, 0x9fa5, 4)
    return (id % 4 === 1 ? ' ' : '') + text(0x61, 0x7b, 9)
  })
}

/** The ids of a text whose pieces are all known, or a part of it: the longest piece first, a byte by its own id. */
function longestFirst(text: string, texts: readonly string[]): number[] {
  const ids = new Map(texts.map((piece, id) => [piece, id]))
  const byteOf = (character: string) => texts.length - 1 - character.charCodeAt(0)
  const found: number[] = []
  for (let at = 0; at < text.length; ) {
    const length = [9, 8, 7, 6, 5, 4, 3, 2, 1].find(
      (one) => ids.has(text.slice(at, at + one)) && at + one <= text.length,
    )
    found.push(length ? ids.get(text.slice(at, at + length))! : byteOf(text[at]))
    at += length ?? 1
  }
  return found
}

/** What makes an answer of JSON of each sequence. */
export function jsonConstraints(vocabulary: number): () => Constraint {
  const texts = randomTexts(vocabulary)
  const tokens = {
    vocabSize: vocabulary,
    vocabulary: {
      byte: (id: number) => (vocabulary - id <= 256 ? vocabulary - id - 1 : undefined),
      text: (id: number) => texts[id],
    },
    isSpecial: () => false,
    encode: (text: string) => longestFirst(text, texts),
  }
  return new GrammarEngine(tokens, vocabulary).prepare(jsonSchemaGrammar(SCHEMA), [])
}
