import { describe } from '../errors/index.js'
import { invalidTokenizer } from './errors.js'
import {
  assertSupported,
  bytePieceName,
  PieceType,
  type SentencePiece,
  type SentencePieceModel,
} from './sentencepiece.js'
import { SPECIAL_TOKENS } from './special-tokens.js'

/** The part of Hugging Face's `tokenizer.json` that describes a SentencePiece BPE model. */
export interface TokenizerJson {
  added_tokens: { id: number; content: string; special: boolean; normalized: boolean }[]
  normalizer: { type: 'Sequence'; normalizers: [PrependNormalizer, ReplaceNormalizer] }
  pre_tokenizer: null
  post_processor: null
  decoder: { type: 'Sequence'; decoders: object[] }
  model: {
    type: 'BPE'
    unk_token: string
    byte_fallback: true
    fuse_unk: boolean
    ignore_merges: boolean
    vocab: Record<string, number>
    merges: [string, string][]
  }
}

interface PrependNormalizer {
  type: 'Prepend'
  prepend: '▁'
}

interface ReplaceNormalizer {
  type: 'Replace'
  pattern: { String: ' ' }
  content: '▁'
}

/**
 * The `tokenizer.json` that encodes text as a SentencePiece model does, with ChatGLM3's special tokens after its
 * pieces.
 *
 * SentencePiece keeps no list of merges: any two neighbours that together are a piece may be merged, the piece
 * with the highest score first. So every way to cut a piece in two mergeable parts is a merge, ranked by piece. A
 * part that is one character needs no piece of its own. The order of the ways to make one piece does not matter: up
 * to its last merge a piece grows as it would alone, hence always out of the same two parts.
 *
 * @throws `checkpoint.tokenizer-invalid` if the model needs what ChatGLM3's tokenizer does not do
 */
export function tokenizerJsonFromSentencePiece(
  model: SentencePieceModel,
  file = 'tokenizer.model',
): TokenizerJson {
  assertSupported(model, file)
  const normal = model.pieces
    .filter(({ type }) => type === PieceType.normal)
    .sort((a, b) => b.score - a.score)
  assertScoresDiffer(normal, file)
  const merges = mergesOf(normal.map(({ piece }) => piece))
  const added = [
    ...model.pieces.flatMap(({ piece, type }, id) =>
      type === PieceType.control || type === PieceType.unknown ? [{ id, content: piece }] : [],
    ),
    ...SPECIAL_TOKENS.map((content, index) => ({ id: model.pieces.length + index, content })),
  ]
  return tokenizerJson(added, Object.fromEntries(model.pieces.map(({ piece }, id) => [piece, id])), merges)
}

/** All ways to make each piece out of two symbols that can be there: pieces, or single characters. */
function mergesOf(pieces: readonly string[]): [string, string][] {
  const mergeable = new Set(pieces)
  const merges: [string, string][] = []
  for (const piece of pieces) {
    const first = characterLength(piece, 0)
    for (let cut = first; cut < piece.length; cut += characterLength(piece, cut)) {
      const left = piece.slice(0, cut)
      if (cut > first && !mergeable.has(left)) continue
      const right = piece.slice(cut)
      if (right.length === characterLength(right, 0) || mergeable.has(right)) merges.push([left, right])
    }
  }
  return merges
}

/** SentencePiece merges pieces of equal score by place alone, which ranked merges cannot express. */
function assertScoresDiffer(sorted: readonly SentencePiece[], file: string): void {
  const merged = sorted.filter(({ piece }) => piece.length > characterLength(piece, 0))
  for (let i = 1; i < merged.length; i++) {
    const { piece, score } = merged[i]
    if (score !== merged[i - 1].score) continue
    const both = `${describe(merged[i - 1].piece)} and ${describe(piece)}`
    refuse(file, 'a score of its own for every piece of several characters', `score ${score} for ${both}`)
  }
}

/** UTF-16 units of the character at an offset. */
function characterLength(text: string, offset: number): number {
  return text.codePointAt(offset)! > 0xffff ? 2 : 1
}

/**
 * Reads a `tokenizer.json` of ChatGLM3's kind.
 *
 * @param source its text, or the object in it
 * @param file what to call it in an error
 * @throws `checkpoint.tokenizer-invalid` if it is not one, or describes another kind of tokenizer
 */
export function readTokenizerJson(source: unknown, file = 'tokenizer.json'): TokenizerJson {
  const json = record(typeof source === 'string' ? parse(source, file) : source)
  const model = record(json.model)
  const normalizer = JSON.stringify(record(json.normalizer).normalizers ?? null)
  for (const [what, found, expected] of [
    ['model.type', model.type, 'BPE'],
    ['model.byte_fallback', model.byte_fallback, true],
    ['model.unk_token', model.unk_token, '<unk>'],
    ['model.continuing_subword_prefix', model.continuing_subword_prefix ?? null, null],
    ['model.end_of_word_suffix', model.end_of_word_suffix ?? null, null],
    ['model.ignore_merges', model.ignore_merges ?? false, false],
    ['pre_tokenizer', json.pre_tokenizer ?? null, null],
    ['normalizer.normalizers', normalizer, JSON.stringify(NORMALIZERS)],
  ]) {
    if (found !== expected) refuse(file, `${what} to be ${describe(expected)}`, describe(found))
  }
  const vocab = readVocab(model.vocab, file)
  const added = readAddedTokens(json.added_tokens, vocab, file)
  return tokenizerJson(added, vocab, readMerges(model.merges, vocab, added, file))
}

const NORMALIZERS: TokenizerJson['normalizer']['normalizers'] = [
  { type: 'Prepend', prepend: '▁' },
  { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
]

function tokenizerJson(
  added: { id: number; content: string }[],
  vocab: Record<string, number>,
  merges: [string, string][],
): TokenizerJson {
  return {
    added_tokens: added.map((token) => ({ ...token, special: true, normalized: false })),
    normalizer: { type: 'Sequence', normalizers: NORMALIZERS },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      fuse_unk: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  }
}

function readVocab(value: unknown, file: string): Record<string, number> {
  const entries = Object.entries(record(value))
  const seen = new Set<unknown>()
  for (const [piece, id] of entries) {
    const isInRange = Number.isInteger(id) && (id as number) >= 0 && (id as number) < entries.length
    if (!isInRange || seen.has(id)) {
      const found = `${describe(id)} for ${describe(piece)}`
      refuse(file, `model.vocab to number its ${entries.length} pieces`, found)
    }
    seen.add(id)
  }
  const vocab = Object.fromEntries(entries) as Record<string, number>
  for (let byte = 0; byte < 256; byte++) {
    const name = bytePieceName(byte)
    if (!Object.hasOwn(vocab, name)) refuse(file, 'model.vocab to have a piece for every byte', `no ${name}`)
  }
  return vocab
}

/** The tokens that are never made out of text, each with an id of its own. */
function readAddedTokens(
  value: unknown,
  vocab: Record<string, number>,
  file: string,
): { id: number; content: string }[] {
  const byContent = new Map<unknown, unknown>()
  for (const token of array(value)) byContent.set(record(token).content, record(token).id)
  const pieces = Object.keys(vocab).length
  const added: { id: number; content: string }[] = []
  for (const content of ['<unk>', '<s>', '</s>']) {
    if (!Object.hasOwn(vocab, content)) refuse(file, `model.vocab to have ${content}`, 'none')
    added.push({ id: vocab[content], content })
  }
  for (const [index, content] of SPECIAL_TOKENS.entries()) {
    const id = pieces + index
    const found = byContent.get(content)
    if (found !== id)
      refuse(file, `added_tokens to have ${content} as id ${id}, after the pieces`, describe(found))
    added.push({ id, content })
  }
  return added
}

function readMerges(
  value: unknown,
  vocab: Record<string, number>,
  added: { content: string }[],
  file: string,
): [string, string][] {
  const notFromText = new Set(added.map(({ content }) => content))
  for (let byte = 0; byte < 256; byte++) notFromText.add(bytePieceName(byte))
  return array(value).map((merge, index) => {
    const parts: unknown[] = typeof merge === 'string' ? merge.split(' ') : array(merge)
    const [left, right] = parts
    if (parts.length !== 2 || typeof left !== 'string' || typeof right !== 'string' || !left || !right) {
      return refuse(file, `model.merges[${index}] to be two pieces`, describe(merge))
    }
    if (!Object.hasOwn(vocab, left + right) || notFromText.has(left + right)) {
      refuse(file, `model.merges[${index}] to make a piece of text`, describe(left + right))
    }
    return [left, right]
  })
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalidTokenizer(file, 'JSON', error instanceof Error ? error.message : 'something else')
  }
}

function refuse(file: string, expected: string, found: string): never {
  const advice = 'Use the tokenizer.model of a ChatGLM3 checkpoint, or a tokenizer.json made from it.'
  throw invalidTokenizer(file, expected, found, advice)
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function array(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
