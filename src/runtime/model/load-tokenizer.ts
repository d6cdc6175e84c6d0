import { type ByteSource, readFile } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { Tokenizer } from '../../tokenizer/index.js'

/** Names of the tokenizer's files, the first found is read. */
const TOKENIZER_FILES = ['tokenizer.model', 'tokenizer.json'] as const
/** ChatGLM3's tokenizer.model has 1 MB, a tokenizer.json made from it five. */
const MAX_BYTES = 16 * 2 ** 20

/**
 * Reads the tokenizer beside a model's weights.
 * @throws `checkpoint.tokenizer-missing`, `checkpoint.tokenizer-invalid`, `checkpoint.corrupt` for a file that is too large to be one
 */
export async function loadTokenizer(source: ByteSource, signal?: AbortSignal): Promise<Tokenizer> {
  for (const file of TOKENIZER_FILES) {
    if (!(await source.has(file, signal))) continue
    const bytes = await readFile(source, file, MAX_BYTES, signal)
    return file === 'tokenizer.model'
      ? Tokenizer.fromSentencePiece(bytes, { file })
      : Tokenizer.fromJson(new TextDecoder().decode(bytes), { file })
  }
  throw new CheckpointError(
    'checkpoint.tokenizer-missing',
    `${source.name} has no ${TOKENIZER_FILES.join(' or ')}. Copy the one of the official checkpoint into the folder.`,
  )
}
