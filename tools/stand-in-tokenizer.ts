import { chatglmSentencePieceModel, writeSentencePieceModel } from '../src/tokenizer/index.js'

/** Pieces of the official tokenizer that are neither control pieces nor bytes. */
const OFFICIAL_PIECES = 64_530
/** Of the official model's rows, those without an ordinary piece: `<unk>`, control, bytes, special, unused. */
const OTHER_ROWS = 65_024 - OFFICIAL_PIECES

const FIRST_HAN = 0x4e00
const LAST_HAN = 0x9fa5

/**
 * A `tokenizer.model` for a model whose real one is not at hand: as many pieces as that has, but each a single
 * character or, for the rest, a placeholder that no text becomes. Chinese and English text can be encoded and
 * decoded; its ids are not the official ones.
 *
 * @param vocabulary rows of the model's embedding
 */
export function standInTokenizer(vocabulary: number): Uint8Array {
  const count = Math.max(0, Math.min(OFFICIAL_PIECES, vocabulary - OTHER_ROWS))
  const range = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i))
  const characters = [
    '▁',
    ...range(0x21, 0x7e),
    ...'，。！？、；：“”‘’（）《》—…',
    ...range(FIRST_HAN, LAST_HAN),
  ]
  const placeholders = Array.from(
    { length: Math.max(0, count - characters.length) },
    (_, i) => `<placeholder-${i}>`,
  )
  return writeSentencePieceModel(chatglmSentencePieceModel([...characters.slice(0, count), ...placeholders]))
}
