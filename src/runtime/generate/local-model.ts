import { type Checkpoint, openCheckpoint, type SourceLocation } from '../../checkpoint/index.js'
import { type DeviceError, disposed, invalidOption, lookAt } from '../../errors/index.js'
import type { AdapterInfo } from '../../gpu/index.js'
import { anObject, checkArgument, checkOptions, opaque } from '../../schema/index.js'
import { buildPrompt, type Message, type Tokenizer } from '../../tokenizer/index.js'
import { type Engine, type ModelDevice, resolveSampling, type VariantChoices } from '../engine/index.js'
import type { AdapterHandle, ModelBase, ModelConfig } from '../model/index.js'
import { answerHeader, type ChatDelta, type ChatOptions, type ChatReply, chat } from './chat.js'
import { type ConstraintOption, isOfText } from './constraint/constraint.js'
import { Grammars } from './constraint/grammars.js'
import {
  type AdapterOptions,
  type BatchToken,
  checkPrompt,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
  type GenerationStats,
  resolveAdapter,
  resolveGeneration,
} from './generation.js'
import {
  LOAD_ADAPTER_SHAPE,
  LOGITS_SHAPE,
  type LoadAdapterOptions,
  type LogitsOptions,
  type MemoryUse,
  type Model,
  type Prompt,
  SCORES_SHAPE,
  type ScoresOptions,
  type TokenScores,
} from './model-api.js'
import { generateAll, logitsOf, type SequenceRunner, scoresOf } from './run-sequences.js'
import { type ModelLoad, Scheduler } from './scheduler.js'
import { flatMap, Stream } from './stream.js'

/** @throws `option.invalid` where there is none, because the model is an ONNX model */
function trainable<T>(part: T | undefined): T {
  if (part === undefined) {
    throw invalidOption('model', 'an ONNX model', 'a checkpoint: only its weights can be trained')
  }
  return part
}

const NO_STATS: GenerationStats = { prefillTokens: 0, prefillSeconds: 0, decodeTokens: 0, decodeSeconds: 0 }

/**
 * A ChatGLM3 model on a GPU. Calls made at the same time run side by side, as many sequences as it was loaded for; more
 * wait for their turn.
 */
export class LocalModel implements Model {
  readonly tokenizer: Tokenizer
  /** Fulfilled when the GPU is taken away: the model cannot be used any more. Not after `dispose()`. */
  readonly lost: Promise<DeviceError>
  readonly #checkpoint: Checkpoint | undefined
  readonly #engine: Engine
  readonly #device: ModelDevice
  readonly #scheduler: Scheduler
  readonly #grammars: Grammars
  #stats = NO_STATS
  #ownPrefix: AdapterHandle | undefined
  #disposed = false

  /** @internal Use `loadModel`. */
  constructor(
    engine: Engine,
    device: ModelDevice,
    checkpoint: Checkpoint | undefined,
    tokenizer: Tokenizer,
    maxWaiting?: number,
  ) {
    this.#engine = engine
    this.#device = device
    this.#checkpoint = checkpoint
    this.tokenizer = tokenizer
    this.#scheduler = new Scheduler(engine, maxWaiting)
    this.#grammars = new Grammars(tokenizer, engine.config.vocabulary)
    this.lost = new Promise((resolve) => {
      device.lost.then((error) => {
        if (!this.#disposed) resolve(error)
      })
    })
  }

  /**
   * @internal Lets calls that name no prefix use the one in the model's own checkpoint, as the official code does.
   * @throws as `loadAdapter`
   */
  async useOwnPrefix(signal?: AbortSignal): Promise<AdapterHandle> {
    this.#ownPrefix = await this.#device.loadAdapter(this.checkpoint, signal)
    return this.#ownPrefix
  }

  /**
   * The prefix that was saved together with the model, if one was: calls that name no prefix use it. `prefixStrength: 0`
   * leaves it out.
   */
  get ownPrefix(): AdapterHandle | undefined {
    return this.#ownPrefix
  }

  get config(): ModelConfig {
    return this.#engine.config
  }

  /**
   * @internal The device and the weights, for training.
   * @throws `option.invalid` for an ONNX model, which cannot be trained
   */
  get base(): ModelBase {
    return trainable(this.#device.base)
  }

  /** @internal Where its configuration, weights and tokenizer were read from. Errors as `base`. */
  get checkpoint(): Checkpoint {
    return trainable(this.#checkpoint)
  }

  /**
   * @internal Lets `change` change the weights while no other call runs. What the cache holds was computed with the old
   * ones, and is forgotten.
   */
  changeWeights<T>(change: (base: ModelBase) => Promise<T>): Promise<T> {
    return this.#exclusively(async () => {
      try {
        return await change(this.base)
      } finally {
        this.#engine.forget()
      }
    })
  }

  /** Positions that prompt and answer together may take. */
  get contextLength(): number {
    return this.#engine.contextLength
  }

  /** The adapter that the model is on. */
  get adapter(): AdapterInfo {
    return this.#device.adapter
  }

  /** Which kernels are used where there are several, and why; empty where ONNX Runtime computes. */
  get variants(): Partial<VariantChoices> {
    return this.#device.variants
  }

  /** GPU memory that the model takes now. */
  get memory(): MemoryUse {
    const { memory, cacheUsed } = this.#engine
    const total = Object.values(memory).reduce((sum, bytes) => sum + bytes, 0)
    return { ...memory, total, cacheUsed }
  }

  /** Sequences that have a place now, and that wait for one. */
  get load(): ModelLoad {
    return this.#scheduler.load
  }

  /** How long the last generation took. */
  get stats(): GenerationStats {
    return this.#stats
  }

  /**
   * Asks for the next answer of a conversation, with the official sampling settings unless told otherwise. The cache
   * keeps the conversation, so that the next call computes only what is new.
   *
   * @param messages the conversation so far; the answer's own messages are in `result()`
   * @throws (while iterating) `input.role-unknown`, `input.messages-empty`, `input.context-overflow`, `option.invalid`,
   *   `checkpoint.not-finite`, `device.lost`, `device.disposed`
   */
  chat(messages: readonly Message[], options: ChatOptions = {}): Stream<ChatDelta, ChatReply> {
    return new Stream(chat(this.tokenizer, messages, options, (ids, rest) => this.#generate(ids, rest)))
  }

  /**
   * Continues a text or token ids. A text becomes `[gMASK] sop` and its tokens, the raw format of the base model and
   * of prefixes trained on prompt and response pairs. Messages become the prompt that asks for the next answer; it
   * comes raw, while `chat` takes it apart. With a constraint the header of the answer is part of the prompt, and the answer
   * is the text that keeps to it.
   * @throws (while iterating) as `chat`
   */
  generate(prompt: Prompt, options: GenerateOptions = {}): Stream<GeneratedToken, Generation> {
    return new Stream(this.#generate(this.#idsOf(prompt, constraintOf(options)), options))
  }

  /**
   * Continues several prompts of any lengths, as many side by side as the model was loaded for (`maxSequences`).
   * @returns tokens as they come, each with the index of its prompt; at the end, a generation for each prompt
   * @throws (while iterating) as `chat`
   */
  generateBatch(prompts: readonly Prompt[], options: GenerateOptions = {}): Stream<BatchToken, Generation[]> {
    if (!Array.isArray(prompts)) throw invalidOption('prompts', prompts, 'a list of prompts')
    const constraint = constraintOf(options)
    const ids = Array.from(prompts, (prompt) => this.#idsOf(prompt, constraint))
    return new Stream(this.#generateBatch(ids, options))
  }

  /**
   * The logits at every position of a sequence.
   * @returns f32 [ids.length, config.vocabulary], row by row
   * @throws `input.context-overflow`, `input.token-invalid`, `device.lost`, `device.disposed`
   */
  async logits(ids: readonly number[], options: LogitsOptions = {}): Promise<Float32Array> {
    checkOptions(LOGITS_SHAPE, options)
    return logitsOf(
      this.#runner,
      ids,
      this.#wholePrompt(checkIds(ids) as readonly number[], options),
      options.signal,
    )
  }

  /**
   * How likely each token of a prompt is behind those before it, by the log softmax of the model's logits in nats, and the
   * likeliest tokens at its place. It is computed on the GPU: no row of the vocabulary's size is moved.
   * @param prompt as for `generate`
   * @throws as `logits`, `checkpoint.not-finite`, `option.invalid`
   */
  async scores(prompt: Prompt, options: ScoresOptions = {}): Promise<TokenScores> {
    checkOptions(SCORES_SHAPE, options)
    const { top = 0, signal } = options
    const ids = this.#idsOf(prompt)
    return scoresOf(this.#runner, ids, this.#wholePrompt(ids, options), top, signal)
  }

  /** Checks ids at all of whose positions something is wanted, and the prefix before them. */
  #wholePrompt(ids: readonly number[], options: LogitsOptions) {
    if (this.#disposed) throw disposed('model')
    const { vocabulary } = this.config
    const resolved = resolveAdapter(this.#engine, this.#withOwnPrefix(options))
    checkPrompt(ids, vocabulary, this.#engine.available(resolved.prefix) + 1)
    return { ...resolved, sampling: resolveSampling({}, vocabulary) }
  }

  /**
   * Loads a P-Tuning v2 prefix, or a LoRA adapter, to give to `chat`, `generate` or `logits`. Several can be loaded at once.
   * @param source a trainer's `pytorch_model.bin`, a safetensors file, a folder with one or with a whole checkpoint, or a
   *   folder that PEFT saved
   * @throws `checkpoint.prefix-invalid`, `checkpoint.adapter-invalid` when there is none in it, or it was made for another
   *   model
   */
  async loadAdapter(source: SourceLocation, options: LoadAdapterOptions = {}): Promise<AdapterHandle> {
    checkOptions(LOAD_ADAPTER_SHAPE, options)
    if (this.#disposed) throw disposed('model')
    const checkpoint: Checkpoint = await openCheckpoint(source, options)
    // It disturbs nobody, but must not begin on a model that went meanwhile.
    if (this.#disposed) throw disposed('model')
    return this.#device.loadAdapter(checkpoint, options.signal)
  }

  /** Gives an adapter's memory back; nothing happens where that was done before. */
  async unloadAdapter(adapter: AdapterHandle): Promise<void> {
    await this.#exclusively(async () => {
      if (!this.#engine.owns(adapter)) return
      if (adapter === this.#ownPrefix) this.#ownPrefix = undefined
      this.#engine.release(adapter)
      await this.#device.freeAdapter(adapter)
    })
  }

  /** An older name of `loadAdapter`. */
  loadPrefix(source: SourceLocation, options?: LoadAdapterOptions): Promise<AdapterHandle> {
    return this.loadAdapter(source, options)
  }

  /** An older name of `unloadAdapter`. */
  unloadPrefix(prefix: AdapterHandle): Promise<void> {
    return this.unloadAdapter(prefix)
  }

  /** Ends the model and gives all its GPU memory back. A call under way fails with `device.disposed`. */
  dispose(): void {
    this.#disposed = true
    this.#scheduler.end(disposed('model'))
    this.#device.dispose()
  }

  #withOwnPrefix<Options extends AdapterOptions>(options: Options): Options {
    const named = options.adapter ?? options.prefix
    return this.#ownPrefix && named === undefined ? { ...options, adapter: this.#ownPrefix } : options
  }

  #idsOf(prompt: Prompt, constraint?: ConstraintOption): readonly number[] {
    if (typeof prompt === 'string') return this.tokenizer.encodePrompt(prompt)
    const list = checkIds(prompt)
    if (typeof list[0] !== 'object') return list as readonly number[]
    const ids = buildPrompt(this.tokenizer, prompt as readonly Message[])
    // The header of an answer is no part of what a constraint is about.
    return isOfText(constraint) ? [...ids, ...answerHeader(this.tokenizer)] : ids
  }

  async *#generate(
    ids: readonly number[],
    options: GenerateOptions,
  ): AsyncGenerator<GeneratedToken, Generation> {
    const batch = this.#generateBatch([ids], options)
    const [generation] = yield* flatMap(batch, ({ index: _, ...token }) => [token])
    return generation
  }

  async *#generateBatch(
    prompts: readonly (readonly number[])[],
    options: GenerateOptions,
  ): AsyncGenerator<BatchToken, Generation[]> {
    if (this.#disposed) throw disposed('model')
    const own = this.#withOwnPrefix(options)
    const resolved = resolveGeneration(this.#engine, this.tokenizer, own, this.#grammars)
    const available = this.#engine.available(resolved.prefix)
    for (const ids of prompts) checkPrompt(ids, this.config.vocabulary, available)
    const onStats = (stats: GenerationStats) => {
      this.#stats = stats
    }
    return yield* generateAll(this.#runner, prompts, resolved, onStats, options.signal)
  }

  get #runner(): SequenceRunner {
    return { engine: this.#engine, scheduler: this.#scheduler, tokenizer: this.tokenizer }
  }

  /** Runs work while nothing is generated. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#scheduler.exclusively(work)
    } catch (error) {
      throw this.#disposed ? disposed('model') : error
    }
  }
}

/** What a call takes as a model that it reads or changes the weights of. */
export const LOCAL_MODEL = opaque<LocalModel>((value) => value instanceof LocalModel, 'a model of loadModel')

/** The constraint among options that are checked later. */
function constraintOf(options: GenerateOptions): ConstraintOption | undefined {
  checkArgument('options', anObject, options)
  return lookAt(
    () => invalidOption('options', options, 'an object that can be read'),
    () => {
      const { constraint } = options
      if (constraint !== undefined) checkArgument('constraint', anObject, constraint)
      return constraint
    },
  )
}

/** A list: of ids, in whatever kind of array, or of messages. */
function checkIds(ids: readonly number[] | readonly Message[]): readonly number[] | readonly Message[] {
  if (Array.isArray(ids)) return ids
  // What maps a typed array gives a typed array, which holds numbers alone.
  if (ArrayBuffer.isView(ids) && 'length' in ids) return Array.from(ids as readonly number[])
  throw invalidOption('prompt', ids, 'a text, token ids or messages')
}
