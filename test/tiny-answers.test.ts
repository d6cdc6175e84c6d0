/** The small model on the software adapter: a change in any kernel that changes its answers is found here. */

import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasCode } from '../src/errors/index.js'
import { loadModel, requestAdapter } from '../src/index.js'
import { isHeldOut } from '../tools/tiny/corpus/task.js'
import { answerHeldOut, type HeldOutAnswer, heldOutQuestions } from '../tools/tiny/held-out-answers.js'

const FOLDER = 'models/tiny'

const expected = JSON.parse(readFileSync('test/fixtures/tiny-answers.json', 'utf8')) as HeldOutAnswer[]

/** Why the answers cannot be compared here. */
const obstacle = await requestAdapter('software').then(
  () => undefined,
  (error: unknown) => {
    if (hasCode(error, 'adapter.none')) return 'there is no software adapter here'
    throw error
  },
)

describe('the questions with known answers', () => {
  it('are those that the corpus holds out', () => {
    expect(expected.map(({ answer: _, ...question }) => question)).toEqual(heldOutQuestions())
    expect(expected.filter(({ key }) => !isHeldOut(key))).toEqual([])
  })

  it('are a dozen and more, of all tasks and both prefixes', () => {
    expect(expected.length).toBeGreaterThanOrEqual(12)
    expect(new Set(expected.map(({ task }) => task)).size).toBe(9)
    expect(new Set(expected.map(({ prefix }) => prefix))).toEqual(new Set([null, 'poem', 'json']))
  })
})

describe.skipIf(obstacle)(`the small model answers${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  let answers: HeldOutAnswer[]
  beforeAll(async () => {
    const model = await loadModel(FOLDER, { device: 'software' })
    answers = await answerHeldOut(model, FOLDER).finally(() => model.dispose())
  }, 300_000)

  it.each(expected.map((answer, index) => ({ ...answer, index, question: answer.messages.at(-1)?.content })))(
    '$task: $question',
    ({ index, answer }) => {
      expect(answers[index].answer).toBe(answer)
    },
  )
})
