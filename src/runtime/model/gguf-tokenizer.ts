import type { Checkpoint, GgufMetadata } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import {
  chatglmSpecs,
  PieceType,
  type SentencePiece,
  SPECIAL_TOKENS,
  writeSentencePieceModel,
} from '../../tokenizer/index.js'
import { ggufName } from './gguf-model.js'

/** Pieces that llama.cpp renames, by their ids. */
const FIRST_PIECES = [
  { piece: '<unk>', score: 0, type: PieceType.unknown },
  { piece: '<s>', score: 0, type: PieceType.control },
  { piece: '</s>', score: 0, type: PieceType.control },
] as const

/**
 * The `tokenizer.model` that the metadata of a GGUF file was made of: the pieces up to `[MASK]`, with their scores and
 * types. The special tokens follow from it, and what fills the rest of the embedding has no text.
 * @returns undefined where the file has no vocabulary
 * @throws `checkpoint.tokenizer-invalid` where it has one of another kind, or a damaged one
 */
export function tokenizerModelOfGguf(checkpoint: Checkpoint): Uint8Array | undefined {
  const { metadata = new Map() as GgufMetadata } = checkpoint
  const file = ggufName(checkpoint)
  const model = metadata.get('tokenizer.ggml.model')
  const tokens = metadata.get('tokenizer.ggml.tokens')
  if (model === undefined || model === 'none' || tokens === undefined) return undefined
  if (model !== 'llama') {
    throw invalid(
      file,
      'a SentencePiece vocabulary ("llama")',
      `${JSON.stringify(model)}: GLM-4 has it, or a converter that took ChatGLM3 for GLM-4`,
    )
  }
  const scores = metadata.get('tokenizer.ggml.scores')
  const types = metadata.get('tokenizer.ggml.token_type')
  if (!Array.isArray(tokens) || !(scores instanceof Float32Array) || !(types instanceof Int32Array)) {
    throw invalid(file, 'lists of tokens, scores and types', 'other values')
  }
  if (scores.length !== tokens.length || types.length !== tokens.length) {
    throw invalid(file, `${tokens.length} scores and types`, `${scores.length} and ${types.length}`)
  }
  const end = tokens.indexOf(SPECIAL_TOKENS[0])
  if (end < 0 || SPECIAL_TOKENS.some((token, i) => tokens[end + i] !== token)) {
    throw invalid(file, `the special tokens ${SPECIAL_TOKENS.join(' ')}`, 'others')
  }
  const pieces = (tokens.slice(0, end) as string[]).map(
    (piece, id): SentencePiece =>
      FIRST_PIECES[id] ?? { piece, score: scores[id]!, type: types[id] as SentencePiece['type'] },
  )
  return writeSentencePieceModel({ pieces, ...chatglmSpecs() })
}

function invalid(file: string, expected: string, found: string): CheckpointError {
  return new CheckpointError(
    'checkpoint.tokenizer-invalid',
    `${file}: expected ${expected} in its metadata, found ${found}. Put the tokenizer.model of ChatGLM3 beside it: it is ` +
      'read instead.',
    { details: { file, expected, found } },
  )
}
