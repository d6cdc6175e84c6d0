/** Every public function of every door, with arguments that nobody expects: what comes out is a value or an error of ours. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ModelLine } from '../../src/browser/worker/model-line.js'
import { WorkerModel } from '../../src/browser/worker/worker-model.js'
import * as browser from '../../src/browser.js'
import { FakeDirectory } from '../../src/checkpoint/sources/testing.js'
import * as finetune from '../../src/finetune.js'
import * as gpus from '../../src/gpus.js'
import * as library from '../../src/index.js'
import { LocalModel } from '../../src/runtime/generate/index.js'
import { ScriptedModel } from '../../src/server/testing/scripted-model.js'
import * as server from '../../src/server.js'
import { type Call, hostileCalls, problemOf } from './values.js'

const tokenizerBytes = readFileSync('models/tiny/tokenizer.model')
const config: unknown = JSON.parse(readFileSync('models/tiny/config.json', 'utf8'))
const tokenizer = library.Tokenizer.fromSentencePiece(tokenizerBytes)
/** It loads prefixes as any other model does. */
class Scripted extends ScriptedModel {
  override loadAdapter = LocalModel.prototype.loadAdapter
}
const model = new Scripted()
const empty = () => new library.MemoryFiles()
const file = () => new File(['{"prompt": "a", "response": "b"}\n'], 'x.jsonl')
const pairs = { format: 'input-output', maxSourceLength: 8, maxTargetLength: 8 } as const
const dataset = await finetune.readDataset(file(), tokenizer, pairs)
const talk = { format: 'multi-turn', maxLength: 64 } as const
const evaluation = await finetune.readEvaluationData(file(), tokenizer)
const record = { value: { prompt: 'a', response: 'b' }, where: 'x.jsonl, line 1' }
const messages = [{ role: 'user', content: 'a' }]

/** Good arguments of every function of a door; those of what a class has are below. */
const FUNCTIONS: Readonly<Record<string, () => readonly unknown[]>> = {
  downloadCheckpoint: () => [empty(), empty(), { stallTimeout: 10 }],
  showUrl: () => ['https://a/b'],
  hasCode: () => [new Error('x'), 'option.invalid'],
  adapterName: () => [{ vendor: 'a', architecture: 'b', device: '', description: '' }],
  isSoftwareAdapter: () => [{ vendor: 'a', architecture: 'b', device: '', description: '' }],
  requestAdapter: () => ['software'],
  convertCheckpoint: () => [
    empty(),
    empty(),
    { quantization: { bits: 4, groupSize: 64 }, device: 'software' },
  ],
  exportOnnx: () => [empty(), empty(), { bits: 4, groupSize: 32 }],
  exportGguf: () => [empty(), empty(), {}],
  mergeAdapter: () => [empty(), empty(), empty(), {}],
  previewVariants: () => ['software'],
  estimateMemory: () => [config, { contextLength: 64, maxSequences: 2, cacheTokens: 128, quantization: {} }],
  loadModel: () => [
    empty(),
    { quantization: {}, variants: {}, endpoints: {}, without: [], onGpuLost: () => {} },
  ],
  parseJson: () => ['{"a": 1}'],
  pythonJson: () => [{ a: 1 }, 2],
  stringifyJson: () => [{ a: 1 }, 2],
  checkDataset: () => [file(), pairs, { encoding: 'utf-8' }],
  createDataset: () => [[{ prompt: 'a', response: 'b' }], tokenizer, pairs, 'name'],
  decodeText: () => [new Uint8Array([97]), 'name', 'utf-8'],
  evaluate: () => [model, evaluation, { answers: false, batchSize: 1 }],
  finetuneLora: () => [model, dataset, { maxSteps: 1 }],
  finetuneModel: () => [model, dataset, { maxSteps: 1 }],
  finetunePrefix: () => [model, dataset, { maxSteps: 1 }],
  fromAdvertiseGen: () => [{ value: { content: 'a', summary: 'b' }, where: 'x' }],
  fromToolAlpaca: () => [{ value: { NLDocumentation: 'a', Instances: [] }, where: 'x' }],
  parseModelSettings: () => ['LR: 1e-3', 'x.yaml'],
  parseQuestion: () => [record],
  parseRawQuestion: () => [record],
  parseSettings: () => ['LR: 1e-3', 'x.yaml', 'ptuning'],
  planTrainingMemory: () => [model, dataset, { maxSteps: 1 }],
  previewSample: () => [tokenizer, dataset.sample(0)],
  readDataset: () => [file(), tokenizer, talk, { convert: true }],
  readEvaluationData: () => [file(), tokenizer, { maxRecords: 1 }, { encoding: 'utf-8' }],
  readRecords: () => [file(), { encoding: 'utf-8' }],
  smoothLosses: () => [[1, 2], 2],
  toConversation: () => [{ prompt: 'a', response: 'b' }],
  withData: () => [finetune.PRESETS.ptuning.training, { epochs: 1, warmupRatio: 0, everyEpoch: [] }, 10],
  isOfLora: () => ['peft_type: LORA'],
  parseLoraSettings: () => ['LR: 1e-3', 'x.yaml'],
  finetunePrefixOnGpus: () => [model, dataset, { maxSteps: 1, continueOnLoss: true }],
  listGpus: () => [],
  planGpus: () => [empty(), { gpus: [], contextLength: 64 }],
  loadModelInWorker: () => [empty(), { quantization: {} }],
  createServer: () => [model, { name: 'a', timeouts: {}, apiKeys: [], corsOrigins: [] }],
}

const root = () => new FakeDirectory('') as unknown as FileSystemDirectoryHandle
const store = await browser.ModelStore.open({ root: root() })

/** A worker that clones what it is sent, as a real one does, and then fails. */
class FailingWorker extends EventTarget {
  postMessage(message: unknown, transfer: Transferable[] = []) {
    structuredClone(message, { transfer })
    queueMicrotask(() => this.dispatchEvent(new Event('error')))
  }

  terminate() {}
}

/** The methods of a model in a worker; one that failed answers nothing any more. */
const inWorker: object = new Proxy(
  {},
  {
    get:
      (_, name: keyof WorkerModel) =>
      (...args: never[]) => {
        const { config, contextLength, adapter } = model
        const line = new ModelLine(new FailingWorker() as unknown as Worker)
        const remote = new WorkerModel(line, { config, contextLength, adapter, variants: {} as never }, true)
        return (remote[name] as (...args: never[]) => unknown)(...args)
      },
  },
)

/** The methods of a server that is ended afterwards. */
const listening: object = new Proxy(
  {},
  {
    get:
      (_, name: 'listen' | 'close' | 'addPrefix') =>
      async (...args: never[]) => {
        const made = await server.createServer(model)
        try {
          return await (made[name] as (...args: never[]) => Promise<unknown>)(...args)
        } finally {
          await made.close()
        }
      },
  },
)

/** Good arguments of what the classes of the doors have, and of those that are not made with `new`. */
const METHODS: Readonly<Record<string, readonly [of: object, args: () => readonly unknown[]]>> = {
  'Tokenizer.fromSentencePiece': [library.Tokenizer, () => [tokenizerBytes, { file: 'x' }]],
  'Tokenizer.fromJson': [library.Tokenizer, () => ['{}', { file: 'x' }]],
  'tokenizer.encode': [tokenizer, () => ['a', { allowSpecial: true }]],
  'tokenizer.encodePrompt': [tokenizer, () => ['a', { allowSpecial: true }]],
  'tokenizer.decode': [tokenizer, () => [[1, 2]]],
  'tokenizer.isSpecial': [tokenizer, () => [1]],
  'memory.has': [empty(), () => ['a']],
  'memory.size': [empty(), () => ['a']],
  'memory.read': [empty(), () => ['a', 0, 1]],
  'memory.create': [empty(), () => ['a']],
  'memory.remove': [empty(), () => ['a']],
  'model.chat': [model, () => [messages, { maxTokens: 1, tools: [], stop: [], logitBias: {} }]],
  'model.generate': [model, () => [[1, 2], { maxTokens: 1, prefixStrength: 1, bannedWords: [] }]],
  'model.generateBatch': [model, () => [[[1, 2], messages], { maxTokens: 1, constraint: { regex: 'a' } }]],
  'model.logits': [model, () => [[1, 2], { prefixStrength: 1 }]],
  'model.scores': [model, () => ['a', { top: 1 }]],
  'model.loadAdapter': [model, () => [empty(), { stallTimeout: 1 }]],
  'model.unloadAdapter': [model, () => [{ name: 'a', length: 1 }]],
  'remote.chat': [inWorker, () => [messages, { maxTokens: 1 }]],
  'remote.generate': [inWorker, () => ['a', { maxTokens: 1 }]],
  'remote.generateBatch': [inWorker, () => [['a'], { maxTokens: 1 }]],
  'remote.logits': [inWorker, () => [[1], { prefixStrength: 1 }]],
  'remote.scores': [inWorker, () => ['a', { top: 1 }]],
  'remote.loadAdapter': [inWorker, () => ['https://a/b', { stallTimeout: 1 }]],
  'remote.unloadAdapter': [inWorker, () => [{ name: 'a', length: 1 }]],
  'remote.readDataset': [inWorker, () => [file(), pairs, { encoding: 'utf-8' }]],
  'remote.previewSample': [inWorker, () => [dataset, 0]],
  'remote.unloadDataset': [inWorker, () => [dataset]],
  'remote.planTrainingMemory': [inWorker, () => [dataset, { maxSteps: 1 }]],
  'remote.finetunePrefix': [inWorker, () => [dataset, { maxSteps: 1 }]],
  'store.download': [store, () => [empty(), { name: 'a', kind: 'model' }]],
  'store.add': [store, () => ['a', [file()], 'model', {}]],
  'store.verify': [store, () => ['a', {}]],
  'store.delete': [store, () => ['a']],
  'store.source': [store, () => ['a']],
  'store.output': [store, () => ['a']],
  'server.addPrefix': [listening, () => ['a', 'b']],
  'server.listen': [listening, () => [{ port: 0 }]],
  'server.close': [listening, () => [{ grace: 0 }]],
  'dataset.sample': [dataset, () => [0]],
  'dataset.targets': [dataset, () => [0]],
  'ModelStore.open': [browser.ModelStore, () => [{ root: undefined }]],
}

const doors = { ...library, ...finetune, ...browser, ...server, ...gpus }
const isClass = (value: unknown) => /^class\b/.test(Function.prototype.toString.call(value))

describe('a public function that is given anything at all gives a value or an error of this project', () => {
  const functions = Object.entries(doors).filter(
    ([, value]) => typeof value === 'function' && !isClass(value),
  ) as [string, Call['call']][]

  it('and all of them are tried', () => {
    expect(functions.map(([name]) => name).sort()).toEqual(Object.keys(FUNCTIONS).sort())
  })

  const calls: Call[] = [
    ...functions.map(([name, call]) => ({ name, call, args: FUNCTIONS[name] })),
    ...Object.entries(METHODS).map(([name, [of, args]]) => ({
      name,
      args,
      call: (...given: never[]) =>
        (of as Record<string, (...args: never[]) => unknown>)[name.split('.')[1]](...given),
    })),
    {
      name: 'new MemoryFiles',
      call: (...args) => new library.MemoryFiles(...args),
      args: () => [[], 'name'],
    },
  ]

  it.each(calls.map((call) => [call.name, call] as const))('%s', async (_, call) => {
    const problems: string[] = []
    for (const [what, args] of hostileCalls(call)) {
      const problem = await problemOf(call, args)
      if (problem) problems.push(`${what}: ${problem}`)
    }
    expect(problems).toEqual([])
  })
})
