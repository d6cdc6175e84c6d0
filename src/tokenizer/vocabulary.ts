import { bytePieceName } from './sentencepiece.js'
import { SPECIAL_TOKENS, type SpecialIds } from './special-tokens.js'
import type { TokenizerJson } from './tokenizer-json.js'

/** Every token of a tokenizer: what it is called, what it means to the model, what it adds to decoded text. */
export class Vocabulary {
  readonly special: SpecialIds
  readonly #pieces: string[] = []
  readonly #bytes = new Map<number, number>()
  readonly #specialTexts = new Map<number, string>()

  constructor({ added_tokens, model }: TokenizerJson) {
    for (const piece of Object.keys(model.vocab)) this.#pieces[model.vocab[piece]] = piece
    for (let byte = 0; byte < 256; byte++) this.#bytes.set(model.vocab[bytePieceName(byte)], byte)
    const ids = new Map<string, number>()
    for (const { id, content } of added_tokens) {
      ids.set(content, id)
      this.#pieces[id] = content
      this.#specialTexts.set(id, (SPECIAL_TOKENS as readonly string[]).includes(content) ? content : '')
    }
    const id = (content: string) => ids.get(content)!
    this.special = {
      unk: id('<unk>'),
      bos: id('<s>'),
      eos: id('</s>'),
      pad: id('<unk>'),
      mask: id('[MASK]'),
      gMask: id('[gMASK]'),
      sMask: id('[sMASK]'),
      sop: id('sop'),
      eop: id('eop'),
      system: id('<|system|>'),
      user: id('<|user|>'),
      assistant: id('<|assistant|>'),
      observation: id('<|observation|>'),
    }
  }

  get size(): number {
    return this.#pieces.length
  }

  /** The name of a token, a space written as `▁`; `undefined` for an id that is no token. */
  piece(id: number): string | undefined {
    return this.#pieces[id]
  }

  /** The byte that a byte token stands for, otherwise `undefined`. */
  byte(id: number): number | undefined {
    return this.#bytes.get(id)
  }

  /**
   * What a token that is no byte adds to decoded text: the special tokens of ChatGLM3 their name, `<unk>`, `<s>`,
   * `</s>` and ids that are no token nothing.
   */
  text(id: number): string {
    return this.#specialTexts.get(id) ?? this.#pieces[id]?.replaceAll('▁', ' ') ?? ''
  }

  isSpecial(id: number): boolean {
    return this.#specialTexts.has(id)
  }
}
