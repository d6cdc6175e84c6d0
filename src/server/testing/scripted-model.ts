import { readFileSync } from 'node:fs'
import type { ModelDevice } from '../../runtime/engine/index.js'
import { LocalModel } from '../../runtime/generate/index.js'
import { FakeEngine } from '../../runtime/generate/testing/fake-engine.js'
import type { AdapterHandle } from '../../runtime/model/index.js'
import { Tokenizer } from '../../tokenizer/index.js'

/** A question for the script: the prompt as text, and the prefix that it is asked behind. */
export interface ScriptedPrompt {
  readonly text: string
  readonly prefix: string | undefined
  readonly strength: number
  readonly temperature: number
  readonly seed: number
}

export interface ScriptedModelOptions {
  /** What the model answers. Default: `answer`. */
  readonly answer?: (prompt: ScriptedPrompt) => string
  readonly maxSequences?: number
  readonly maxWaiting?: number
  readonly contextLength?: number
  /** Milliseconds that each step takes. */
  readonly stepMs?: number
}

const tokenizer = Tokenizer.fromSentencePiece(readFileSync('models/tiny/tokenizer.model'))

const NO_DEVICE: ModelDevice = {
  adapter: { vendor: '', architecture: '', device: '', description: 'a script' },
  lost: new Promise(() => {}),
  variants: {},
  base: undefined,
  loadAdapter: () => Promise.reject(new Error('The model loads its own.')),
  freeAdapter: async () => {},
  dispose: () => {},
}

/**
 * A whole model, with its scheduler, whose engine says what a script tells it: everything is real but the numbers. A
 * newline comes first, as in an answer of ChatGLM3.
 */
export class ScriptedModel extends LocalModel {
  readonly engine: FakeEngine

  constructor(options: ScriptedModelOptions = {}) {
    const { answer = () => 'answer', maxSequences = 4, maxWaiting, contextLength = 512 } = options
    const answers = new Map<string, readonly number[]>()
    const engine = new FakeEngine({
      maxSequences,
      pages: 256,
      chunkTokens: 64,
      contextLength,
      delay: () => 1,
      stepMs: options.stepMs ?? 0,
      vocabulary: tokenizer.vocabSize,
      next: ({ ids: prompt, prefix, prefixStrength, sampling }, ids) => {
        const { temperature, seed } = sampling
        const text = tokenizer.decode(prompt)
        const asked = { text, prefix: prefix?.name, strength: prefixStrength, temperature, seed }
        const key = JSON.stringify(asked)
        if (!answers.has(key)) answers.set(key, tokenizer.encode(answer(asked), { allowSpecial: true }))
        return answers.get(key)?.[ids.length - prompt.length] ?? tokenizer.special.eos
      },
    })
    super(engine, NO_DEVICE, undefined, tokenizer, maxWaiting)
    this.engine = engine
  }

  override async loadAdapter(source: string): Promise<AdapterHandle> {
    if (source.startsWith('loras/')) return { kind: 'lora', name: source, length: 0 }
    if (!source.startsWith('prefixes/')) throw new Error(`no ${source}`)
    return { kind: 'prefix', name: source, length: 8 }
  }

  override async unloadAdapter(_adapter: AdapterHandle): Promise<void> {}
}
