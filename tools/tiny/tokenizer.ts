import type { TrainingMessage } from '../../src/data/index.js'
import {
  chatglmSentencePieceModel,
  formatToolCall,
  pythonJson,
  SPECIAL_TOKENS,
  TOOLS_SYSTEM_PROMPT,
  writeSentencePieceModel,
} from '../../src/tokenizer/index.js'
import { countWords, trainBpe } from '../bpe-trainer.js'
import { COMMON_CHARACTERS, COMMON_SIGNS } from './characters.js'
import { type CorpusRecord, trainingRecords } from './corpus/corpus.js'

/** Rows of the embedding: a multiple of 64. */
export const TOKENS = 3968
/** `<unk>`, `<s>`, `</s>` and the bytes. */
const RESERVED_PIECES = 259
/** Records that the pieces are learned from. */
const RECORDS = 30_000
const SEED = 1
const MINIMUM_COUNT = 2
/** Longer pieces would be whole sentences of the corpus, which nobody else writes. */
const MAX_CHINESE_CHARACTERS = 4
const MAX_CHARACTERS = 16
/** As `countWords` cuts, but signs stay together, and with the space before them: JSON has many `": "`. */
const WORD = /▁?\p{Script=Latin}+|\p{Script=Han}+|▁?[!-/:-@[-`{-~]+|▁+|[^\n]/gu

/** The texts of a record as the model sees them, each encoded by itself. */
export function textsOf({
  conversation: { tools, conversations },
}: Pick<CorpusRecord, 'conversation'>): string[] {
  const texts = tools ? [`${TOOLS_SYSTEM_PROMPT}\n${pythonJson(tools, 4)}`] : []
  return [...texts, ...conversations.flatMap(textsOfMessage)]
}

function textsOfMessage(message: TrainingMessage): string[] {
  if (message.role !== 'tool') return [message.content]
  const { name, parameters, observation } = message
  const call = `\`\`\`python\n${formatToolCall(parameters)}\n\`\`\``
  return [name, call, typeof observation === 'string' ? observation : pythonJson(observation)]
}

function mayBePiece(piece: string): boolean {
  const length = [...piece].length
  return length <= (/\p{Script=Han}/u.test(piece) ? MAX_CHINESE_CHARACTERS : MAX_CHARACTERS)
}

/** Everything that pieces are learned from: not from the answers of prefixes, whose characters are known alone. */
function* trainingTexts(): Generator<string> {
  for (const record of trainingRecords(SEED, RECORDS)) yield* textsOf(record)
}

/**
 * The ordinary pieces of the small model's tokenizer, in ChatGLM3's order: what merges make, the first to merge
 * first, then single characters. Line breaks and tabs are no pieces; they become bytes. No piece has two digits.
 */
export function smallModelPieces(): string[] {
  const counts = new Map<string, number>()
  const characters = new Set(['▁', ...printableAscii()])
  for (const text of trainingTexts()) {
    for (const [word, count] of countWords(` ${text}`, WORD))
      counts.set(word, (counts.get(word) ?? 0) + count)
    for (const character of text) if (!/\s/.test(character)) characters.add(character)
  }
  for (const character of COMMON_CHARACTERS + COMMON_SIGNS)
    if (!/\s/.test(character)) characters.add(character)
  const merges = TOKENS - SPECIAL_TOKENS.length - RESERVED_PIECES - characters.size
  const merged = trainBpe(counts, { pieces: merges, minimumCount: MINIMUM_COUNT, accepts: mayBePiece })
  return [...merged, ...characters]
}

function printableAscii(): string[] {
  return Array.from({ length: 0x7f - 0x21 }, (_, index) => String.fromCodePoint(0x21 + index))
}

/** The `tokenizer.model` of the small model. The same bytes every time. */
export function smallModelTokenizerFile(): Uint8Array {
  return writeSentencePieceModel(chatglmSentencePieceModel(smallModelPieces()))
}
