import { type ByteSource, type Checkpoint, readFile } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { readSentencePieceModel, type SentencePieceModel, Tokenizer } from '../../tokenizer/index.js'
import { ggufName } from './gguf-model.js'
import { tokenizerModelOfGguf } from './gguf-tokenizer.js'

/** Names of the tokenizer's files, the first found is read. */
const TOKENIZER_FILES = ['tokenizer.model', 'tokenizer.json'] as const
/** ChatGLM3's tokenizer.model has 1 MB, a tokenizer.json made from it five. */
const MAX_BYTES = 16 * 2 ** 20

/**
 * Reads the tokenizer's files in a folder; undefined where there are none.
 * @throws `checkpoint.tokenizer-invalid`, `checkpoint.corrupt` for a file that is too large to be one
 */
async function readTokenizer(source: ByteSource, signal?: AbortSignal): Promise<Tokenizer | undefined> {
  for (const file of TOKENIZER_FILES) {
    if (!(await source.has(file, signal))) continue
    const bytes = await readFile(source, file, MAX_BYTES, signal)
    return file === 'tokenizer.model'
      ? Tokenizer.fromSentencePiece(bytes, { file })
      : Tokenizer.fromJson(new TextDecoder().decode(bytes), { file })
  }
  return undefined
}

function missing(name: string): CheckpointError {
  return new CheckpointError(
    'checkpoint.tokenizer-missing',
    `${name} has no ${TOKENIZER_FILES.join(' or ')}. Copy the one of the official checkpoint into the folder.`,
  )
}

/** Reads the tokenizer in a folder. @throws `checkpoint.tokenizer-missing`, and as `loadTokenizer` */
export async function loadTokenizerOf(source: ByteSource, signal?: AbortSignal): Promise<Tokenizer> {
  const tokenizer = await readTokenizer(source, signal)
  if (!tokenizer) throw missing(source.name)
  return tokenizer
}

/**
 * Reads the tokenizer beside a model's weights, or else in them: a GGUF file has its own.
 * @throws `checkpoint.tokenizer-missing`, `checkpoint.tokenizer-invalid`, `checkpoint.corrupt` for a file that is too large to be one
 */
export async function loadTokenizer(checkpoint: Checkpoint, signal?: AbortSignal): Promise<Tokenizer> {
  const tokenizer = await readTokenizer(checkpoint.source, signal)
  if (tokenizer) return tokenizer
  const own = tokenizerModelOfGguf(checkpoint)
  if (own) return Tokenizer.fromSentencePiece(own, { file: ggufName(checkpoint) })
  throw missing(checkpoint.name)
}

/**
 * Reads the SentencePiece model beside a model's weights, or else in them.
 * @throws `checkpoint.tokenizer-missing` where there is none, or only a `tokenizer.json`; as `loadTokenizer`
 */
export async function loadSentencePieceModel(
  checkpoint: Checkpoint,
  signal?: AbortSignal,
): Promise<SentencePieceModel> {
  const { source } = checkpoint
  const [file] = TOKENIZER_FILES
  const bytes = (await source.has(file, signal))
    ? await readFile(source, file, MAX_BYTES, signal)
    : tokenizerModelOfGguf(checkpoint)
  if (bytes) return readSentencePieceModel(bytes, file)
  throw new CheckpointError(
    'checkpoint.tokenizer-missing',
    `${checkpoint.name} has no ${file}, whose scores are needed. Copy the one of the official checkpoint into the folder.`,
  )
}
