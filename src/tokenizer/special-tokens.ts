/**
 * ChatGLM3's special tokens, in the order in which they follow the SentencePiece pieces
 * (`SPTokenizer` of `tokenization_chatglm.py`).
 */
export const SPECIAL_TOKENS = [
  '[MASK]',
  '[gMASK]',
  '[sMASK]',
  'sop',
  'eop',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|observation|>',
] as const

export type SpecialToken = (typeof SPECIAL_TOKENS)[number]

/** Ids of the tokens that mean something to the model beyond text. */
export interface SpecialIds {
  readonly unk: number
  readonly bos: number
  readonly eos: number
  /** The official tokenizer pads with `<unk>`. */
  readonly pad: number
  readonly mask: number
  readonly gMask: number
  readonly sMask: number
  readonly sop: number
  readonly eop: number
  readonly system: number
  readonly user: number
  readonly assistant: number
  readonly observation: number
}

/** Cuts text into special tokens and what is between them, in order; nothing is lost and no part is empty. */
export function splitAtSpecialTokens(text: string): string[] {
  return text.split(ANY_SPECIAL_TOKEN).filter((part) => part !== '')
}

const ANY_SPECIAL_TOKEN = new RegExp(
  `(${SPECIAL_TOKENS.map((token) => token.replace(/[[\]|]/g, '\\$&')).join('|')})`,
)
