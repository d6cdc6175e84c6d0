import type { GgufWritable } from '../../../checkpoint/index.js'
import { PieceType, type SentencePiece, SPECIAL_TOKENS } from '../../../tokenizer/index.js'
import type { ModelConfig } from '../../model/index.js'

/** The types of matrices that are written, with llama.cpp's numbers of such files (`enum llama_ftype`). */
export const FILE_TYPES = { F16: 1, Q4_0: 2, Q8_0: 7 } as const
export type GgufType = keyof typeof FILE_TYPES

/** Of how integers are stored in blocks. */
const QUANTIZATION_VERSION = 2

/**
 * The prompt of ChatGLM3, as chat templates are written: llama.cpp's `--jinja` makes it of messages. A role is followed by a
 * line break and its text, which begins with a space as every text of this tokenizer does.
 */
const CHAT_TEMPLATE =
  '[gMASK]sop{% for message in messages %}<|{{ message.role }}|>\n {{ message.content }}{% endfor %}' +
  '{% if add_generation_prompt %}<|assistant|>{% endif %}'

/** Scores have no meaning for tokens that no text becomes. */
const PADDING_SCORE = 0

/**
 * The keys and values of a GGUF file of ChatGLM3, as llama.cpp reads them
 * (https://github.com/ggml-org/llama.cpp/blob/master/conversion/chatglm.py).
 * @param pieces of the SentencePiece model; special tokens and padding follow them, up to the rows of the embedding
 */
export function ggufMetadata(
  config: ModelConfig,
  pieces: readonly SentencePiece[],
  type: GgufType,
): Readonly<Record<string, GgufWritable>> {
  const { headDim } = config
  const sizes = {
    context_length: config.maxContextLength,
    embedding_length: config.hidden,
    feed_forward_length: config.ffn,
    block_count: config.layers,
    'attention.head_count': config.heads,
    'attention.head_count_kv': config.kvGroups,
    // Without these two, heads share the width of the model.
    'attention.key_length': headDim,
    'attention.value_length': headDim,
    'rope.dimension_count': headDim / 2,
  }
  return {
    'general.architecture': { string: 'chatglm' },
    'general.type': { string: 'model' },
    'general.name': { string: 'ChatGLM3' },
    'general.file_type': { uint32: FILE_TYPES[type] },
    'general.quantization_version': { uint32: QUANTIZATION_VERSION },
    ...Object.fromEntries(Object.entries(sizes).map(([key, size]) => [`chatglm.${key}`, { uint32: size }])),
    'chatglm.attention.layer_norm_rms_epsilon': { float32: config.epsilon },
    'chatglm.rope.freq_base': { float32: config.ropeBase },
    ...vocabulary(config.vocabulary, pieces),
    'tokenizer.chat_template': { string: CHAT_TEMPLATE },
  }
}

function vocabulary(rows: number, pieces: readonly SentencePiece[]): Readonly<Record<string, GgufWritable>> {
  const special = SPECIAL_TOKENS.map((piece) => ({ piece, score: 0, type: PieceType.control }))
  const known = [...pieces, ...special]
  const padding = Array.from({ length: Math.max(0, rows - known.length) }, (_, i) => ({
    piece: `[PAD${known.length + i}]`,
    score: PADDING_SCORE,
    type: PieceType.unused,
  }))
  const all = [...known, ...padding].slice(0, rows)
  const idOf = (token: (typeof SPECIAL_TOKENS)[number]) => pieces.length + SPECIAL_TOKENS.indexOf(token)
  return {
    'tokenizer.ggml.model': { string: 'llama' },
    'tokenizer.ggml.pre': { string: 'chatglm-spm' },
    'tokenizer.ggml.tokens': { strings: all.map(({ piece }, id) => RENAMED[id] ?? piece) },
    'tokenizer.ggml.scores': { float32s: Float32Array.from(all, ({ score }) => score) },
    'tokenizer.ggml.token_type': { int32s: Int32Array.from(all, ({ type }) => type) },
    'tokenizer.ggml.unknown_token_id': { uint32: 0 },
    'tokenizer.ggml.bos_token_id': { uint32: 1 },
    'tokenizer.ggml.eos_token_id': { uint32: 2 },
    // An answer ends where the model takes the user's turn.
    'tokenizer.ggml.eot_token_id': { uint32: idOf('<|user|>') },
    'tokenizer.ggml.padding_token_id': { uint32: 0 },
    'tokenizer.ggml.add_bos_token': { bool: false },
    'tokenizer.ggml.add_eos_token': { bool: false },
  }
}

/** What llama.cpp's converter calls the first tokens. */
const RENAMED = ['<unk>', '<bos>', '<eos>']
