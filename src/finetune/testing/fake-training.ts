/** Trainings over an engine on the CPU, for tests of their course. */
import { readFile } from 'node:fs/promises'
import { createDataset, type TrainingDataset } from '../../data/dataset.js'
import { Tokenizer } from '../../tokenizer/index.js'
import type { PrefixTrainingOptions } from '../engine/training-engine.js'
import type { TrainingOutcome } from '../run-training.js'
import { type FinetuneOptions, trainPrefix } from '../train-prefix.js'
import type { TrainingEvent } from '../training-event.js'
import { FAKE_MODEL, FakeTraining } from './fake-engine.js'

export const SETTINGS = {
  prefixLength: 3,
  learningRate: 0.2,
  batchSize: 2,
  accumulationSteps: 2,
  maxSteps: 12,
  saveInterval: 5,
  logInterval: 4,
} as const

const tokenizer = Tokenizer.fromSentencePiece(await readFile('models/tiny/tokenizer.model'))
const words = ['宽松', '性感', '阔腿裤', '针织', '复古风格', '优雅', '收腰']
const records = words.map((word, i) => ({ prompt: `类型#${word}`, response: word.repeat(1 + (i % 3)) }))
const limits = { format: 'input-output', maxSourceLength: 32, maxTargetLength: 32 } as const

/** Seven samples of different lengths. */
export const data: TrainingDataset = await createDataset(records, tokenizer, limits)
/** Two of them. */
export const heldOut = await createDataset(records.slice(0, 2), tokenizer, limits, 'held-out data')

/** Runs a training; `prepare` may arrange for what happens in it. */
export async function train(
  options: FinetuneOptions = {},
  prepare: (engine: FakeTraining) => void = () => {},
) {
  const events: TrainingEvent[] = []
  let engine: FakeTraining | undefined
  const create = async (engineOptions: PrefixTrainingOptions) => {
    engine = new FakeTraining(engineOptions)
    prepare(engine)
    return engine
  }
  const onProgress = (event: TrainingEvent) => {
    events.push(event)
    options.onProgress?.(event)
  }
  const outcome: Partial<TrainingOutcome> & { error?: Error } = await trainPrefix(create, FAKE_MODEL, data, {
    ...SETTINGS,
    ...options,
    onProgress,
  }).catch((error: Error) => ({ error }))
  return { ...outcome, events, engine: engine! }
}

export const eventsOf = <Type extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: Type) =>
  events.filter((event): event is Extract<TrainingEvent, { type: Type }> => event.type === type)
