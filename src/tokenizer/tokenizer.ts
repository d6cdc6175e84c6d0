import { type BPE, Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'
import { invalidOption, lookAt } from '../errors/index.js'
import {
  anObject,
  bytes as bytesSchema,
  checkArgument,
  checkOptions,
  flag,
  type OptionShape,
  opaque,
  text as textSchema,
} from '../schema/index.js'
import { MergeBoundaries } from './merge-boundaries.js'
import { readSentencePieceModel } from './sentencepiece.js'
import { SPECIAL_TOKENS, type SpecialIds, splitAtSpecialTokens } from './special-tokens.js'
import { StreamDecoder } from './stream-decoder.js'
import { readTokenizerJson, type TokenizerJson, tokenizerJsonFromSentencePiece } from './tokenizer-json.js'
import { Vocabulary } from './vocabulary.js'

export interface EncodeOptions {
  /**
   * Recognise the nine special tokens in the text. Only for text that the program wrote itself: a user who may
   * write `<|system|>` speaks with the voice of the program.
   */
  allowSpecial?: boolean
}

/** What to call a tokenizer's file. */
export interface FileName {
  readonly file?: string
}

const ENCODE_SHAPE: OptionShape<EncodeOptions> = { allowSpecial: flag }
const FILE_SHAPE: OptionShape<FileName> = { file: textSchema }

/** ChatGLM3's tokenizer: text to token ids and back. */
export class Tokenizer {
  /** Names and meaning of all tokens. */
  readonly vocabulary: Vocabulary
  /** The ids that end an answer: `</s>`, `<|user|>`, `<|observation|>`; `<|assistant|>` does not. */
  readonly stopIds: readonly number[]
  readonly #core: HuggingFaceTokenizer
  readonly #bpe: BPE
  /** Words recur. The library has a cache too, but a hit in it costs more than encoding once it is full. */
  readonly #cache = new Map<string, readonly number[]>()
  readonly #boundaries: MergeBoundaries
  readonly #idOfSpecial: ReadonlyMap<string, number>

  private constructor(json: TokenizerJson) {
    this.vocabulary = new Vocabulary(json)
    const { eos, user, observation } = this.vocabulary.special
    this.stopIds = [eos, user, observation]
    // Added tokens would be recognised in any text.
    this.#core = new HuggingFaceTokenizer({ ...json, added_tokens: [] }, {})
    this.#bpe = this.#core.model as BPE
    this.#bpe.max_length_to_cache = 0
    this.#boundaries = new MergeBoundaries(json.model.merges)
    this.#idOfSpecial = new Map(
      json.added_tokens
        .filter(({ content }) => (SPECIAL_TOKENS as readonly string[]).includes(content))
        .map(({ content, id }) => [content, id]),
    )
  }

  /**
   * A tokenizer out of `tokenizer.model`. The special tokens follow its pieces: with the official file `[MASK]` is
   * 64789.
   *
   * @param file what to call the file in an error
   * @throws `checkpoint.tokenizer-invalid` if the bytes are not a SentencePiece model of ChatGLM3's kind
   */
  static fromSentencePiece(bytes: Uint8Array, options: FileName = {}): Tokenizer {
    checkArgument('bytes', bytesSchema, bytes)
    checkOptions(FILE_SHAPE, options)
    const { file = 'tokenizer.model' } = options
    return new Tokenizer(tokenizerJsonFromSentencePiece(readSentencePieceModel(bytes, file), file))
  }

  /**
   * A tokenizer out of a `tokenizer.json` (its text, or the object in it) that was made from ChatGLM3's
   * `tokenizer.model`.
   *
   * @param file what to call the file in an error
   * @throws `checkpoint.tokenizer-invalid` if it describes another kind of tokenizer
   */
  static fromJson(json: string | object, options: FileName = {}): Tokenizer {
    if (typeof json !== 'string') checkArgument('json', anObject, json)
    checkOptions(FILE_SHAPE, options)
    const { file = 'tokenizer.json' } = options
    return new Tokenizer(readTokenizerJson(json, file))
  }

  /** Number of tokens, the special ones included. The model's `padded_vocab_size` is larger. */
  get vocabSize(): number {
    return this.vocabulary.size
  }

  get special(): SpecialIds {
    return this.vocabulary.special
  }

  /** Whether an id is one of the nine special tokens, `<unk>`, `<s>` or `</s>`. */
  isSpecial(id: number): boolean {
    return this.vocabulary.isSpecial(id)
  }

  /**
   * The ids of a text, as `SPTokenizer.tokenize` of `tokenization_chatglm.py` gives them: no tokens around it, and
   * a space put before it, so that ids of parts are not the parts of the ids. Names of special tokens are text
   * unless `allowSpecial` is set; then each text between them is encoded by itself. Unpaired surrogates become
   * U+FFFD.
   */
  encode(text: string, options?: EncodeOptions): number[] {
    if (typeof text !== 'string') throw invalidOption('text', text, 'a text')
    if (options !== undefined) checkOptions(ENCODE_SHAPE, options)
    if (!options?.allowSpecial) return this.#encodeText(text)
    return splitAtSpecialTokens(text).flatMap((part) => this.#idOfSpecial.get(part) ?? this.#encodeText(part))
  }

  /**
   * The ids of a prompt that is no conversation: `[gMASK] sop` and the text, as `tokenizer(text)` gives them. Models
   * trained on prompt and response pairs, and the base model, expect it.
   */
  encodePrompt(text: string, options?: EncodeOptions): number[] {
    return [this.special.gMask, this.special.sop, ...this.encode(text, options)]
  }

  /**
   * The text of ids, as `tokenizer.decode(ids)` gives it: special tokens by their name, nothing for `<unk>`, `<s>`,
   * `</s>` and ids that are no token, U+FFFD for every byte that belongs to no character.
   */
  decode(ids: Iterable<number>): string {
    const decoder = new StreamDecoder(this)
    const deltas: string[] = []
    lookAt(
      () => invalidOption('ids', ids, 'a list of token ids'),
      () => {
        for (const id of ids) deltas.push(decoder.push(id))
      },
    )
    deltas.push(decoder.flush())
    return deltas.join('')
  }

  #encodeText(text: string): number[] {
    if (text === '') return []
    const normalized = this.#core.normalizer!(text.replace(UNPAIRED_SURROGATE, '\ufffd'))
    const ids: number[] = []
    for (const part of this.#boundaries.split(normalized)) {
      for (const id of this.#cache.get(part) ?? this.#encodePart(part)) ids.push(id)
    }
    return ids
  }

  #encodePart(part: string): number[] {
    const ids = this.#bpe.encode([part]).map((piece) => this.#bpe.tokens_to_ids.get(piece)!)
    if (part.length <= MAX_CACHED_LENGTH) {
      if (this.#cache.size === MAX_CACHED_PARTS) this.#cache.clear()
      this.#cache.set(part, ids)
    }
    return ids
  }
}

/** What a call takes as its tokenizer. */
export const TOKENIZER = opaque<Tokenizer>((value) => value instanceof Tokenizer, 'a Tokenizer')

const MAX_CACHED_PARTS = 2 ** 15
const MAX_CACHED_LENGTH = 32
const UNPAIRED_SURROGATE = /\p{Surrogate}/gu
