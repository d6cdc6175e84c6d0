import { expect, it } from 'vitest'
import type { BatchToken, Generation, Message, Prompt } from '../../src/index.js'
import { loadModel, Tokenizer } from '../../src/index.js'
import { Stream } from '../../src/runtime/generate/index.js'
import { EVALUATED_TASKS, evaluateTasks, type JudgedModel } from './evaluate-tasks.js'
import { smallModelTokenizerFile, TOKENS } from './tokenizer.js'

const tokenizer = Tokenizer.fromSentencePiece(smallModelTokenizerFile())

/** A model to which every token is equally likely, and which says what it is told to. */
function modelThatSays(say: (messages: readonly Message[]) => string): JudgedModel {
  async function* answersTo(prompts: readonly Prompt[]): AsyncGenerator<BatchToken, Generation[]> {
    return prompts.map((prompt) => ({
      text: say(prompt as readonly Message[]),
      ids: [],
      logprobs: [],
      finishReason: 'stop' as const,
      stopId: undefined,
      promptTokens: 0,
      cachedTokens: 0,
    }))
  }
  return {
    tokenizer,
    scores: async (ids) => ({
      tokens: (ids as number[]).map((id) => ({ id, logprob: -Math.log(TOKENS), top: [] })),
      next: [],
    }),
    generateBatch: (prompts) => new Stream(answersTo(prompts)),
  }
}

it('takes the loss, and finds wrong what is wrong', async () => {
  const evaluations = await evaluateTasks(
    modelThatSays(() => '\n 我不知道'),
    { samples: 5, batchSize: 2 },
  )
  expect(evaluations.map(({ task }) => task)).toEqual(EVALUATED_TASKS)
  for (const { loss, samples, answers } of evaluations) {
    expect(loss).toBeCloseTo(Math.log(TOKENS), 5)
    expect(samples).toBe(5)
    expect(answers.every(({ answer }) => answer === '我不知道')).toBe(true)
  }
  const exact = Object.fromEntries(evaluations.map(({ task, exact }) => [task, exact]))
  expect(exact).toMatchObject({ arithmetic: 0, translation: 0, copy: 0, tool: 0, poem: 0, json: 0 })
})

it('finds right what is right, of arithmetic and of calls before and after the observation', async () => {
  const wrong = await evaluateTasks(
    modelThatSays(() => ''),
    { tasks: ['arithmetic', 'tool'], samples: 20 },
  )
  // What a first run reports as the right answers, a second says.
  const known = new Map(
    wrong.flatMap(({ answers }) => answers.map(({ question, reference }) => [question, reference])),
  )
  const model = modelThatSays((messages) => {
    const last = messages[messages.length - 1]
    if (last.role === 'observation') return '\n 不对'
    const reference = known.get(last.content)!
    const [name, call] = reference.split('\n')
    return call === undefined ? `\n ${reference}` : `${name}\n \`\`\`python\n${call}\n\`\`\``
  })
  const [arithmetic, tool] = await evaluateTasks(model, { tasks: ['arithmetic', 'tool'], samples: 20 })
  expect(arithmetic).toMatchObject({ exact: 1, score: 1, details: { number: 1 }, exactAfterCall: undefined })
  expect(tool).toMatchObject({ exact: 1, exactAfterCall: 0, judged: 20 })
  expect(wrong.map(({ exact }) => exact)).toEqual([0, 0])
})

it('runs with a loaded model', async () => {
  const model = await loadModel('models/tiny')
  try {
    const [evaluation] = await evaluateTasks(model, { tasks: ['translation'], samples: 1 })
    expect(evaluation).toMatchObject({ task: 'translation', samples: 1, judged: 1 })
    expect(evaluation.loss).toBeGreaterThan(0)
    expect(evaluation.loss).toBeLessThan(20)
  } finally {
    model.dispose()
  }
}, 120_000)
