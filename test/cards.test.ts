/** Models on several cards, each in a process of its own: here two software adapters. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chooseCards } from '../src/cards/node/choose-cards.js'
import { loadReplicas } from '../src/cards/node/load-on-cards.js'
import type { CardModel } from '../src/cards/node/start-replica.js'
import type { ReplicatedModel } from '../src/cards/replicated-model.js'
import { type LocalModel, loadModel } from '../src/index.js'
import { type BuiltHost, buildHost } from './gpu-host.js'
import { CONTRACT } from './model-contract.js'

const TINY = fileURLToPath(new URL('../models/tiny', import.meta.url))
const OPTIONS = { device: 'software', activations: 'float', contextLength: 256 } as const

describe('a model on two cards', { timeout: 300_000 }, () => {
  let host: BuiltHost
  let local: LocalModel
  let both: ReplicatedModel<CardModel>

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

  // With what is left of it: a model in one other process.
  it.each(Object.keys(CONTRACT))('%s', async (name) => {
    const files = { poem: `${TINY}/prefixes/poem` }
    const here = await CONTRACT[name](local, files)
    const there = await CONTRACT[name](both, files)
    expect(there).toEqual(here)
  })
})
