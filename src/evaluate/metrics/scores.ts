import { bleu4 } from './bleu.js'
import { rougeL, rougeN } from './rouge.js'

/** How close answers are to references, as the official `compute_metrics` of `finetune_hf.py` gives it. */
export interface Scores {
  /** From 0 to 100. */
  readonly rouge1: number
  readonly rouge2: number
  readonly rougeL: number
  /** From 0 to 1. */
  readonly bleu4: number
}

/** Cuts a text into words. */
export type CutWords = (text: string) => readonly string[]

/** Cuts Chinese text into words as the Python package jieba does by default; nothing is lost, spaces included. */
export async function loadJieba(): Promise<CutWords> {
  const jieba: typeof import('jieba-wasm') & { readonly default?: unknown } = await import('jieba-wasm')
  // The module for browsers has its WebAssembly to fetch first, the one for Node has it.
  if (typeof jieba.default === 'function') await jieba.default()
  return (text) => jieba.cut(text, true)
}

/**
 * Scores one answer. An empty answer or reference scores 0, where the official code fails.
 */
export function scoreAnswer(answer: string, reference: string, cut: CutWords): Scores {
  const [ours, theirs] = [cut(answer.trim()), cut(reference.trim())]
  // ROUGE sees the words with spaces between them, so that words of spaces vanish; BLEU sees the list.
  const [oursVisible, theirsVisible] = [visibleWords(ours), visibleWords(theirs)]
  const percent = (share: number) => Number((100 * share).toFixed(4))
  return {
    rouge1: percent(rougeN(oursVisible, theirsVisible, 1)),
    rouge2: percent(rougeN(oursVisible, theirsVisible, 2)),
    rougeL: percent(rougeL(oursVisible, theirsVisible)),
    bleu4: bleu4(ours, theirs),
  }
}

function visibleWords(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(/\s+/)).filter((word) => word !== '')
}

export function meanScores(all: readonly Scores[]): Scores {
  const mean = (part: (scores: Scores) => number) =>
    all.reduce((sum, scores) => sum + part(scores), 0) / all.length
  return {
    rouge1: mean(({ rouge1 }) => rouge1),
    rouge2: mean(({ rouge2 }) => rouge2),
    rougeL: mean(({ rougeL }) => rougeL),
    bleu4: mean(({ bleu4 }) => bleu4),
  }
}
