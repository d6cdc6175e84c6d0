import { PassThrough, Writable } from 'node:stream'
import { planGpus } from '../cards/index.js'
import { showUrl } from '../checkpoint/index.js'
import * as data from '../data/index.js'
import * as evaluation from '../evaluate/index.js'
import * as finetune from '../finetune/index.js'
import type {
  AdapterHandle,
  AssistantMessage,
  BatchToken,
  ChatDelta,
  ChatOptions,
  ChatReply,
  GeneratedToken,
  GenerateOptions,
  Generation,
  Message,
  Prompt,
  VariantPreview,
} from '../index.js'
import { Stream } from '../runtime/generate/index.js'
import * as tokenizer from '../tokenizer/index.js'
import type { Io } from './io.js'
import type { CliModel, Library } from './library.js'
import { run } from './program.js'

class Screen extends Writable {
  readonly isTTY: boolean
  readonly columns = 80
  text = ''

  constructor(isTTY: boolean) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
  }

  override _write(chunk: string | Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk
    done()
  }
}

export interface TestIo extends Io {
  readonly stdin: PassThrough & { isTTY: boolean }
  readonly stdout: Screen
  readonly stderr: Screen
  /** Presses Ctrl-C outside of a line editor. */
  interrupt(): void
}

/**
 * @param terminal whether all three streams are terminals
 * @param input what a pipe holds
 */
export function testIo({ terminal = false, input = '' } = {}): TestIo {
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal })
  if (!terminal) stdin.end(input)
  const listeners = new Set<() => void>()
  return {
    stdin,
    stdout: new Screen(terminal),
    stderr: new Screen(terminal),
    env: { NO_COLOR: '1' },
    onInterrupt(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    interrupt() {
      for (const listener of listeners) listener()
    },
  }
}

/** A stream of given pieces; one that stops before its end waits for the signal, as a long answer would. */
export function streamOf<Piece, Result>(
  pieces: readonly (Piece | 'for ever')[],
  result: Result,
  signal?: AbortSignal,
): Stream<Piece, Result> {
  async function* iterate(): AsyncGenerator<Piece, Result> {
    for (const piece of pieces) {
      signal?.throwIfAborted()
      if (piece === 'for ever') {
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      } else {
        yield piece
      }
    }
    return result
  }
  return new Stream(iterate())
}

export function generationOf(text: string, more: Partial<Generation> = {}): Generation {
  return {
    ids: [1, 2, 3],
    text,
    logprobs: [-1, -2, -3],
    finishReason: 'stop',
    stopId: 2,
    promptTokens: 7,
    cachedTokens: 0,
    ...more,
  }
}

export function replyOf(text: string): ChatReply {
  const segment = { type: 'text', text } as const
  return {
    segments: [segment],
    last: segment,
    messages: [{ role: 'assistant', metadata: '', content: text }],
    generation: generationOf(text),
  }
}

/** What a stub model was asked. */
export interface Asked {
  readonly messages: readonly Message[]
  readonly options: ChatOptions
}

export type StubAnswer = readonly (ChatDelta | 'for ever')[]

/** An answer of one segment. */
export function answerOf(...texts: string[]): StubAnswer {
  return texts.map((text) => (text === 'for ever' ? text : { text, segment: 0, metadata: '' }))
}

/** A message for each segment. */
function messagesOf(answer: StubAnswer): AssistantMessage[] {
  const messages: AssistantMessage[] = []
  for (const delta of answer) {
    if (delta === 'for ever') continue
    const { segment, metadata, text } = delta
    messages[segment] ??= { role: 'assistant', metadata, content: '' }
    messages[segment].content += text
  }
  return messages
}

/** A model that gives scripted answers and writes down what it was asked. */
export class StubModel implements CliModel {
  readonly asked: Asked[] = []
  readonly continued: { prompts: readonly unknown[]; options: GenerateOptions }[] = []
  readonly prefixes: string[] = []
  disposed = false
  /** Answers in turn; the last one for good. */
  answers: StubAnswer[] = [answerOf('你好', '！')]
  /** What a prompt of a batch is answered; fails with what it throws. */
  answerTo: (prompt: unknown) => string = (prompt) => `answer to ${JSON.stringify(prompt)}`
  readonly adapter = { description: 'Stub GPU', architecture: 'stub' } as GPUAdapterInfo
  readonly config = {} as CliModel['config']
  readonly contextLength = 64
  readonly variants = {} as CliModel['variants']
  readonly memory = {
    weights: 3_500_000_000,
    cache: 0,
    prefixes: 0,
    activations: 0,
    cacheUsed: 0,
    total: 3_500_000_000,
  }
  readonly stats = { prefillTokens: 7, prefillSeconds: 0.5, decodeTokens: 2, decodeSeconds: 0.25 }

  chat(messages: readonly Message[], options: ChatOptions): Stream<ChatDelta, ChatReply> {
    this.asked.push({ messages, options })
    const answer = this.answers.length > 1 ? this.answers.shift()! : this.answers[0]
    const text = answer.map((delta) => (delta === 'for ever' ? '' : delta.text)).join('')
    return streamOf(answer, { ...replyOf(text), messages: messagesOf(answer) }, options.signal)
  }

  generate(prompt: Prompt, options: GenerateOptions): Stream<GeneratedToken, Generation> {
    this.continued.push({ prompts: [prompt], options })
    const tokens = ['so', ' on'].map((text, id) => ({ id, text, logprob: -1 }))
    return streamOf(tokens, generationOf('so on'), options.signal)
  }

  generateBatch(prompts: readonly Prompt[], options: GenerateOptions): Stream<BatchToken, Generation[]> {
    this.continued.push({ prompts, options })
    const answerAll = async function* (this: StubModel): AsyncGenerator<BatchToken, Generation[]> {
      options.signal?.throwIfAborted()
      return prompts.map((prompt) => generationOf(this.answerTo(prompt)))
    }
    return new Stream(answerAll.call(this))
  }

  async loadAdapter(source: string): Promise<AdapterHandle> {
    this.prefixes.push(source)
    return { kind: 'prefix', name: source, length: 8 }
  }

  readonly load = { running: 0, waiting: 0 }
  readonly lost = new Promise<never>(() => {})

  async unloadAdapter(): Promise<void> {}

  async scores(_prompt?: unknown): ReturnType<CliModel['scores']> {
    throw new Error('A stub scores nothing.')
  }

  async logits(): ReturnType<CliModel['logits']> {
    throw new Error('A stub has no logits.')
  }

  get tokenizer(): CliModel['tokenizer'] {
    throw new Error('A stub has no tokenizer.')
  }

  dispose(): void {
    this.disposed = true
  }
}

const cannotTrain = async () => {
  throw new Error('A stub cannot be trained.')
}

/** A library around a stub model. */
export function stubLibrary(
  model: CliModel = new StubModel(),
  more: Partial<Library> = {},
): () => Promise<Library> {
  const library: Library = {
    ...data,
    ...evaluation,
    ...finetune,
    ...tokenizer,
    showUrl,
    finetuneLora: cannotTrain,
    finetuneModel: cannotTrain,
    mergeAdapter: async () => ({ sourceBytes: 12e9, bytes: 12e9, files: new Map() }),
    finetunePrefix: cannotTrain,
    loadModel: async () => model,
    listGpus: async () => [],
    planGpus,
    requestAdapter: async () => adapterOf('Stub GPU', 'stub'),
    adapterName: (info) => info.description,
    isSoftwareAdapter: ({ architecture }) => architecture === 'swiftshader',
    previewVariants: async () => previewOf(),
    downloadCheckpoint: async () => ({ bytes: 12e9, files: 9, kept: 2 }),
    exportGguf: async () => ({ sourceBytes: 12e9, bytes: 3.5e9, files: new Map(), relativeError: 0.091 }),
    exportOnnx: async () => ({ sourceBytes: 12e9, bytes: 3.8e9, files: new Map(), relativeError: 0.083 }),
    convertCheckpoint: async () => ({ sourceBytes: 12e9, bytes: 3.5e9, files: new Map() }),
    ...more,
  }
  return async () => library
}

export function previewOf(): VariantPreview {
  const choice = { reason: 'nothing else is possible', impossible: { fast: 'needs a GPU' } }
  return {
    model: 'a model',
    variants: {
      prefill: { ...choice, variant: 'unfused' },
      prefillProduct: { ...choice, variant: 'float32' },
      prefillAttention: { ...choice, variant: 'tiled' },
      fewRowsProduct: { ...choice, variant: 'matvec' },
      decodeAttention: { ...choice, variant: 'simple' },
      decodeFew: { ...choice, variant: 'float' },
      decodeMany: { ...choice, variant: 'float' },
      trainingProduct: { ...choice, variant: 'float32' },
      trainingAttention: { ...choice, variant: 'tiled' },
      decode: { variant: 'fused-int8', reason: 'fastest of 2: 2.1 ms a step; float 8.4', impossible: {} },
    },
    timesIn: '/cache/tuning.json',
  }
}

export function adapterOf(description: string, architecture: string, features: string[] = []): GPUAdapter {
  const info = { vendor: 'stub', device: '', description, architecture, isFallbackAdapter: false }
  return {
    info: { ...info, subgroupMinSize: 4, subgroupMaxSize: 32 },
    features: new Set(features),
    limits: {
      maxBufferSize: 2 ** 31,
      maxStorageBufferBindingSize: 2 ** 31,
      maxStorageBuffersPerShaderStage: 12,
      maxComputeWorkgroupStorageSize: 32768,
      maxComputeInvocationsPerWorkgroup: 256,
    },
  } as unknown as GPUAdapter
}

/** Runs the command line with pipes for streams. */
export async function command(args: readonly string[], library = stubLibrary(), input = '') {
  const io = testIo({ input })
  const code = await run(args, io, library)
  return { code, out: io.stdout.text, err: io.stderr.text }
}

/** For command lines that need no library. */
export const noLibrary = async (): Promise<Library> => {
  throw new Error('The library was loaded.')
}
