import { ngramCounts } from './bleu.js'

/**
 * ROUGE-N as an F-measure from 0 to 1, over the different n-grams of each text (Lin 2004), as the Python package
 * rouge_chinese computes it.
 */
export function rougeN(candidate: readonly string[], reference: readonly string[], order: number): number {
  const ours = ngramCounts(candidate, order)
  const theirs = ngramCounts(reference, order)
  let common = 0
  for (const ngram of ours.keys()) if (theirs.has(ngram)) common++
  return fMeasure(common, ours.size, theirs.size)
}

/** ROUGE-L as an F-measure from 0 to 1, over the longest common subsequence, as rouge_chinese computes it. */
export function rougeL(candidate: readonly string[], reference: readonly string[]): number {
  return fMeasure(longestCommonSubsequence(candidate, reference), candidate.length, reference.length)
}

function fMeasure(common: number, ours: number, theirs: number): number {
  const precision = ours === 0 ? 0 : common / ours
  const recall = theirs === 0 ? 0 : common / theirs
  return (2 * precision * recall) / (precision + recall + 1e-8)
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let above = new Uint32Array(b.length + 1)
  for (const word of a) {
    const row = new Uint32Array(b.length + 1)
    for (let j = 1; j <= b.length; j++) {
      row[j] = word === b[j - 1] ? above[j - 1] + 1 : Math.max(above[j], row[j - 1])
    }
    above = row
  }
  return above[b.length]
}
