/** BLEU-4 and ROUGE against values computed by hand from their definitions. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readEvaluationData } from '../../data/index.js'
import { Tokenizer } from '../../tokenizer/index.js'
import { bleu4 } from './bleu.js'
import { rougeL, rougeN } from './rouge.js'
import { loadJieba, meanScores, scoreAnswer } from './scores.js'

const words = (text: string) => text.split(' ')

describe('BLEU-4', () => {
  it('is 1 for the reference itself, and 0 without a common word', () => {
    expect(bleu4(words('a b c d e'), words('a b c d e'))).toBeCloseTo(1, 12)
    expect(bleu4(words('a b c d'), words('e f g h'))).toBe(0)
    expect(bleu4([], words('a b'))).toBe(0)
  })

  it('is the geometric mean of the precisions, times the penalty for brevity', () => {
    // 5/6 words, 3/5 pairs, 2/4 triples, 1/3 quadruples; the reference is shorter, so there is no penalty.
    const expected = ((5 / 6) * (3 / 5) * (2 / 4) * (1 / 3)) ** (1 / 4)
    expect(bleu4(words('a b c d x e'), words('a b c d e'))).toBeCloseTo(expected, 12)
    // All precisions are 1; 4 words against 6.
    expect(bleu4(words('a b c d'), words('a b c d e f'))).toBeCloseTo(Math.exp(1 - 6 / 4), 12)
  })

  it('counts a word no more often than the reference has it', () => {
    // The example of Papineni et al.: "the" seven times has a precision of 2/7; then 1/(2 * 6), 1/(4 * 5), 1/(8 * 4).
    const reference = words('the cat is on the mat')
    const expected = ((2 / 7) * (1 / 12) * (1 / 20) * (1 / 32)) ** (1 / 4)
    expect(bleu4(Array(7).fill('the'), reference)).toBeCloseTo(expected, 12)
  })

  it('halves what stands for no match each time, also where the candidate has no n-gram', () => {
    // 1/2 words, then 1/(2 * 1) of one pair, and 1/4 and 1/8 where there are no n-grams; 2 words against 3.
    const expected = Math.exp(1 - 3 / 2) * ((1 / 2) * (1 / 2) * (1 / 4) * (1 / 8)) ** (1 / 4)
    expect(bleu4(words('a x'), words('a b c'))).toBeCloseTo(expected, 12)
  })
})

describe('ROUGE', () => {
  it('compares the different n-grams of both', () => {
    // {a, b, x} against {a, b, c, d}: 2 common, precision 2/3, recall 2/4.
    expect(rougeN(words('a b a x'), words('a b c d'), 1)).toBeCloseTo(2 / (3 / 2 + 4 / 2), 7)
    // {ab, ba, ax} against {ab, bc, cd}: 1 common, 1/3 each.
    expect(rougeN(words('a b a x'), words('a b c d'), 2)).toBeCloseTo(1 / 3, 7)
    expect(rougeN(words('a'), words('a b'), 2)).toBe(0)
  })

  it('L compares the longest common subsequence with all words', () => {
    // a c d of "a x c d" and "a b c d e".
    expect(rougeL(words('a x c d'), words('a b c d e'))).toBeCloseTo((2 * 3) / (4 + 5), 7)
    expect(rougeL(words('d c b a'), words('a b c d'))).toBeCloseTo(1 / 4, 7)
    expect(rougeL([], words('a'))).toBe(0)
  })
})

describe('the score of an answer', () => {
  it('is over the words that jieba finds', async () => {
    const cut = await loadJieba()
    expect(cut('我来到北京清华大学')).toEqual(['我', '来到', '北京', '清华大学'])
    expect(cut('他来到了网易杭研大厦')).toEqual(['他', '来到', '了', '网易', '杭研', '大厦'])
    expect(scoreAnswer(' 我来到北京 ', '我来到北京清华大学', cut)).toEqual({
      // 3 of 3 and 3 of 4 words, 2 of 2 and 2 of 3 pairs; rounded as the official code does.
      rouge1: 85.7143,
      rouge2: 80,
      rougeL: 85.7143,
      bleu4: expect.closeTo(Math.exp(1 - 4 / 3) * (1 / 2) ** (1 / 4), 12),
    })
    expect(scoreAnswer('', '好', cut)).toEqual({ rouge1: 0, rouge2: 0, rougeL: 0, bleu4: 0 })
  })

  it('leaves spaces out of ROUGE, and the mean is over answers', async () => {
    const cut = (text: string) => text.split(/(?<= )|(?= )/)
    const same = scoreAnswer('a b', 'a  b', cut)
    expect(same).toMatchObject({ rouge1: 100, rouge2: 100, rougeL: 100 })
    const none = scoreAnswer('c', 'a', cut)
    expect(meanScores([same, none])).toMatchObject({ rouge1: 50, bleu4: same.bleu4 / 2 })
  })
})

describe('data to evaluate with', () => {
  const tokenizer = Tokenizer.fromSentencePiece(readFileSync('models/tiny/tokenizer.model'))
  const file = (record: object) => new File([JSON.stringify(record)], 'eval.json')
  const { gMask, sop, user, assistant } = tokenizer.special

  it('asks for the response of a pair, up to its limits', async () => {
    const data = await readEvaluationData(file({ prompt: '类型#裙', response: '好看的裙子' }), tokenizer)
    expect(data.questions).toEqual([{ prompt: tokenizer.encodePrompt('类型#裙'), reference: '好看的裙子' }])
    expect([data.maxAnswerLength, data.dataset.length]).toEqual([128, 1])
    const limits = { maxSourceLength: 3, maxTargetLength: 2 }
    const cut = await readEvaluationData(
      file({ prompt: '类型#裙', response: '好看的裙子' }),
      tokenizer,
      limits,
    )
    expect(cut.questions[0].prompt).toHaveLength(3)
    expect('好看的裙子'.startsWith(cut.questions[0].reference)).toBe(true)
    expect(cut.dataset.sample(0).ids).toHaveLength(3 + 2 + 1)
  })

  it('asks for every answer of a conversation, with all that came before', async () => {
    const conversations = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b c' },
      { role: 'user', content: 'd' },
      { role: 'assistant', content: 'e' },
    ]
    const { questions, dataset } = await readEvaluationData(file({ conversations }), tokenizer)
    const message = (role: number, text: string) => [
      role,
      ...tokenizer.encode('\n'),
      ...tokenizer.encode(text),
    ]
    const first = [gMask, sop, ...message(user, 'a'), assistant]
    expect(questions).toEqual([
      { prompt: first, reference: 'b c' },
      {
        prompt: [...first.slice(0, -1), ...message(assistant, 'b c'), ...message(user, 'd'), assistant],
        reference: 'e',
      },
    ])
    expect(dataset.length).toBe(1)
    const short = await readEvaluationData(file({ conversations }), tokenizer, {
      maxSourceLength: first.length,
    })
    expect(short.questions).toHaveLength(1)
  })

  it('reads no more records than wanted', async () => {
    const lines = Array(5)
      .fill(JSON.stringify({ prompt: 'a', response: 'b' }))
      .join('\n')
    const { dataset } = await readEvaluationData(new File([lines], 'x.json'), tokenizer, { maxRecords: 3 })
    expect(dataset.length).toBe(3)
  })
})
