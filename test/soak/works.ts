/** What a program does again and again, for months. */
import { readFileSync } from 'node:fs'
import { train } from '../../src/finetune/testing/fake-training.js'
import { createDataset, finetunePrefix } from '../../src/finetune.js'
import { downloadCheckpoint, type LocalModel, loadModel, MemoryFiles } from '../../src/index.js'
import { ScriptedModel } from '../../src/server/testing/scripted-model.js'
import type { Random } from '../../tools/tiny/random.js'
import { faultyServer } from './faulty-server.js'

/** What computes. */
export type Device = 'auto' | 'software'

/** Something to do often. */
export interface Work {
  readonly name: string
  /** Whether it computes on a device; the software adapter takes seconds. */
  readonly slow: boolean
  /** Sets it up. @returns what one round does, and what ends it */
  readonly begin: (
    random: Random,
    device: Device,
  ) => Promise<{ round: () => Promise<void>; end?: () => void }>
}

const MODEL = 'models/tiny'
const QUESTION = [{ role: 'user', content: '你好' }] as const

const load = (device: Device) => loadModel(MODEL, { device, contextLength: 128, maxSequences: 2 })

/** Asks, and leaves the answer at a random place: at its end, in the middle of the loop, or by a signal. */
async function ask(model: LocalModel, random: Random, maxTokens: number): Promise<void> {
  // The scripted model keeps an answer for each seed.
  const controller = new AbortController()
  const left = random.integer(0, maxTokens)
  const byLoop = random.chance(0.5)
  let tokens = 0
  try {
    for await (const _ of model.chat(QUESTION, { maxTokens, seed: 1, signal: controller.signal })) {
      if (tokens++ < left) continue
      if (byLoop) break
      controller.abort()
    }
  } catch (error) {
    if (error !== controller.signal.reason) throw error
  }
}

const files = Object.fromEntries(
  [
    'config.json',
    'model.safetensors',
    'model.safetensors.index.json',
    'tokenizer.model',
    'manifest.json',
  ].map((name) => [name, new Uint8Array(readFileSync(`${MODEL}/${name}`))]),
)

export const WORKS: readonly Work[] = [
  {
    name: 'chats and aborts, without a GPU',
    slow: false,
    begin: async (random) => {
      const model = new ScriptedModel({ answer: () => 'an answer of a few words, and some more' })
      const round = async () => {
        await ask(model, random, 12)
        // The engine of tests notes what it was asked.
        model.engine.steps.length = model.engine.begun.length = 0
      }
      return { round, end: () => model.dispose() }
    },
  },
  {
    name: 'trainings, without a GPU',
    slow: false,
    begin: async () => ({
      round: async () => {
        const { error } = await train({ maxSteps: 4, saveInterval: 2 })
        if (error) throw error
      },
    }),
  },
  {
    name: 'downloads with faults',
    slow: false,
    begin: async (random) => {
      const { url, close } = await faultyServer(files, random)
      return {
        end: close,
        round: async () => {
          const sink = new MemoryFiles()
          await downloadCheckpoint(url, sink, { stallTimeout: 200 })
          for (const [path, bytes] of Object.entries(files)) {
            if (!(await sink.has(path))) continue
            const copy = await sink.read(path, 0, bytes.byteLength)
            if (Buffer.compare(copy, bytes) !== 0) throw new Error(`${path} is not as the server has it.`)
          }
        },
      }
    },
  },
  {
    name: 'loads and disposals',
    slow: true,
    begin: async (random, device) => ({
      round: async () => {
        const model = await load(device)
        await ask(model, random, 2)
        model.dispose()
      },
    }),
  },
  {
    name: 'chats and aborts',
    slow: true,
    begin: async (random, device) => {
      const model = await load(device)
      return { round: () => ask(model, random, 8), end: () => model.dispose() }
    },
  },
  {
    name: 'prefixes',
    slow: true,
    begin: async (random, device) => {
      const model = await load(device)
      return {
        end: () => model.dispose(),
        round: async () => {
          const adapter = await model.loadAdapter(`${MODEL}/prefixes/${random.pick(['poem', 'json'])}`)
          await model.generate('春', { adapter, maxTokens: 1 }).result()
          await model.unloadAdapter(adapter)
        },
      }
    },
  },
  {
    name: 'trainings',
    slow: true,
    begin: async (_, device) => {
      const model = await load(device)
      const records = [{ prompt: '你好', response: '你好' }]
      const limits = { format: 'input-output', maxSourceLength: 8, maxTargetLength: 8 } as const
      const dataset = await createDataset(records, model.tokenizer, limits)
      return {
        end: () => model.dispose(),
        round: async () => {
          const { prefix } = await finetunePrefix(model, dataset, {
            prefixLength: 2,
            maxSteps: 1,
            accumulationSteps: 1,
          })
          await model.unloadAdapter(prefix)
        },
      }
    },
  },
]
