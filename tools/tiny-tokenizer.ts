import { countWords, trainBpe } from './bpe-trainer.js'
import { COMMON_CHARACTERS, COMMON_SIGNS } from './tiny/characters.js'
import { PROSE, WORDS } from './tiny-text.js'

/** As often as this each listed word counts: enough that all of it becomes pieces. */
const WORD_WEIGHT = 3
/** A pair that is rarer says little about the languages. */
const MINIMUM_COUNT = 3
/** More than the text has. */
const MAX_MERGES = 4000

/**
 * The ordinary pieces of the small model's tokenizer, in ChatGLM3's order: what merges make, the first to merge
 * first, then single characters. Line breaks and tabs are no pieces; they become bytes.
 */
export function tinyPieces(): string[] {
  const counts = countWords(PROSE)
  for (const word of WORDS.trim().split(/\s+/)) {
    // In a sentence a Latin word follows a space.
    const part = /^[a-z]/.test(word) ? `▁${word}` : word
    counts.set(part, (counts.get(part) ?? 0) + WORD_WEIGHT)
  }
  const merged = trainBpe(counts, { pieces: MAX_MERGES, minimumCount: MINIMUM_COUNT })
  const printableAscii = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCodePoint(0x21 + i))
  const text = (PROSE + WORDS + COMMON_CHARACTERS + COMMON_SIGNS).replaceAll(/\s/g, '')
  return [...merged, ...new Set(['▁', ...printableAscii, ...text])]
}
