/** Models on several cards, each in a process of its own: here two software adapters. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chooseCards } from '../src/cards/node/choose-cards.js'
import { loadReplicas } from '../src/cards/node/load-on-cards.js'
import type { CardModel } from '../src/cards/node/start-replica.js'
import type { ReplicatedModel } from '../src/cards/replicated-model.js'
import { asFloat32Array, openCheckpoint } from '../src/checkpoint/index.js'
import { createDataset } from '../src/finetune.js'
import { finetunePrefixOnGpus } from '../src/gpus.js'
import { type LocalModel, loadModel, MemoryFiles } from '../src/index.js'
import { expectClose } from '../src/kernels/testing/numbers.js'
import { type BuiltHost, buildHost } from './gpu-host.js'
import { CONTRACT } from './model-contract.js'

const TINY = fileURLToPath(new URL('../models/tiny', import.meta.url))
const OPTIONS = { device: 'software', activations: 'float', contextLength: 256 } as const

describe('a model on two cards', { timeout: 300_000 }, () => {
  let host: BuiltHost
  let local: LocalModel
  let both: ReplicatedModel<CardModel>

  /** Trains on all cards that are there. @returns the rows of the prefix */
  const train = async () => {
    const records = ['红色', '蓝色', '绿色'].map((word) => ({
      prompt: `颜色#${word}`,
      response: `${word}的`,
    }))
    const limits = { format: 'input-output', maxSourceLength: 16, maxTargetLength: 8 } as const
    const dataset = await createDataset(records, both.tokenizer, limits)
    const settings = { prefixLength: 4, batchSize: 2, accumulationSteps: 2, maxSteps: 2, learningRate: 0.1 }
    const output = new MemoryFiles([], 'a prefix')
    const { prefix } = await finetunePrefixOnGpus(both, dataset, { ...settings, output })
    expect(prefix).toMatchObject({ kind: 'prefix', length: 4 })
    await both.unloadAdapter(prefix)
    const checkpoint = await openCheckpoint(output)
    const [name] = checkpoint.tensors.keys()
    return asFloat32Array(await checkpoint.read(name))
  }
  let trainedOnBoth: Float32Array

  beforeAll(async () => {
    host = await buildHost()
    const cards = await chooseCards([0, 1], 'software', { all: [], visible: [] })
    local = await loadModel(TINY, OPTIONS)
    both = await loadReplicas(cards, TINY, OPTIONS, host.script)
  }, 300_000)
  afterAll(async () => {
    local?.dispose()
    both?.dispose()
    await host?.remove()
  })

  it('trains a prefix on both', async () => {
    trainedOnBoth = await train()
  })

  it('answers where one card is lost in the middle, from the beginning to the end', async () => {
    const prompts = ['1+1=', '你好', '2+3=', '再见']
    const options = { seed: 7, maxTokens: 6 }
    const here = local.generateBatch(prompts, options)
    const expectedIds: number[][] = prompts.map(() => [])
    for await (const { index, id } of here) expectedIds[index].push(id)
    const expected = await here.result()
    const stream = both.generateBatch(prompts, options)
    const ids: number[][] = prompts.map(() => [])
    let killed = false
    for await (const { index, id } of stream) {
      ids[index].push(id)
      if (killed) continue
      killed = true
      process.kill(both.replicas[0].model.pid!, 'SIGKILL')
    }
    const answers = await stream.result()
    expect(answers.map(({ text }) => text)).toEqual(expected.map(({ text }) => text))
    // What was given out before the loss was not given out again.
    expect(ids).toEqual(expectedIds)
    expect(both.replicas.map(({ label }) => label)).toEqual(['software adapter 1'])
  })

  it('trains on one as on both, up to the order of sums', async () => {
    expect(both.replicas).toHaveLength(1)
    expectClose(await train(), trainedOnBoth, 1e-5)
  })

  // With what is left of it: a model in one other process.
  it.each(Object.keys(CONTRACT))('%s', async (name) => {
    const files = { poem: `${TINY}/prefixes/poem` }
    const here = await CONTRACT[name](local, files)
    const there = await CONTRACT[name](both, files)
    expect(there).toEqual(here)
  })
})
