import { createDataset, type TrainingDataset } from '../../src/finetune.js'
import { finetunePrefixOnGpus } from '../../src/gpus.js'
import type { Model, Tokenizer } from '../../src/index.js'
import { randomIds } from '../common/random.js'

export interface GenerateWork {
  /** Sequences side by side on a card. */
  readonly batch: number
  /** Answers, for each card. */
  readonly answers: number
  readonly prompt: number
  readonly tokens: number
}

/** Tokens a second over all answers, prompts included in the time; and what is beyond the first answers' compilation. */
export async function tokensPerSecond(model: Model, cards: number, work: GenerateWork, seed: number) {
  const { answers, prompt, tokens } = work
  const prompts = Array.from({ length: answers * cards }, (_, index) =>
    randomIds(prompt, model.config.vocabulary, seed + index),
  )
  const options = { temperature: 0, maxTokens: tokens, stopIds: [] }
  const started = performance.now()
  const answered = await model.generateBatch(prompts, options).result()
  const seconds = (performance.now() - started) / 1000
  const generated = answered.reduce((sum, { ids }) => sum + ids.length, 0)
  return { seconds, generated, perSecond: generated / seconds }
}

/** Pairs of random characters, of which the tokenizer makes a token each; a quarter of a sample is its prompt. */
function randomDataset(samples: number, tokens: number, tokenizer: Tokenizer): Promise<TrainingDataset> {
  const text = (length: number, seed: number) =>
    String.fromCodePoint(...randomIds(length, 0x4000, seed).map((id) => 0x4e00 + id))
  const records = Array.from({ length: samples }, (_, index) => ({
    prompt: text(tokens, 2 * index),
    response: text(tokens, 2 * index + 1),
  }))
  const maxSourceLength = tokens / 4
  const limits = {
    format: 'input-output',
    maxSourceLength,
    maxTargetLength: tokens - maxSourceLength,
  } as const
  return createDataset(records, tokenizer, limits)
}

export interface TrainWork {
  readonly tokens: number
  readonly accumulationSteps: number
  readonly steps: number
  readonly prefixLength: number
}

/** Trained tokens a second of every step but the first, which compiles nothing but wakes the card up; and the losses. */
export async function trainedPerSecond(
  model: Model & { readonly tokenizer: Tokenizer },
  { tokens, steps, ...settings }: TrainWork,
) {
  const dataset = await randomDataset(4 * settings.accumulationSteps, tokens, model.tokenizer)
  const seconds: number[] = []
  const losses: number[] = []
  await finetunePrefixOnGpus(model, dataset, {
    ...settings,
    batchSize: 1,
    maxSteps: steps,
    saveInterval: steps,
    learningRate: 1e-3,
    onProgress: (event) => {
      if (event.type !== 'step') return
      seconds.push(event.seconds)
      losses.push(event.loss)
    },
  })
  const timed = seconds.slice(1)
  const perSecond =
    (timed.length * settings.accumulationSteps * dataset.longest) / timed.reduce((sum, one) => sum + one, 0)
  return { perSecond, seconds, losses }
}
