import type { MemoryKind } from '../../gpu/index.js'
import type { RowScores, SampledId } from '../../kernels/index.js'
import type { AdapterHandle, ModelConfig } from '../model/index.js'
import type { ResolvedSampling } from './sampling-options.js'

/** What an engine must know of a sequence to compute it. */
export interface SequenceStart {
  /** The prompt, at least one id. */
  readonly ids: readonly number[]
  readonly prefix: AdapterHandle | undefined
  /** 0 < strength <= 1: the weight of the prefix in every softmax. */
  readonly prefixStrength: number
  readonly sampling: ResolvedSampling
  readonly stopIds: readonly number[]
  /** Positions below this may hold an id: prompt and answer together. */
  readonly positionLimit: number
  /** Whether nothing of the prompt may be taken from the cache, because something is wanted at every position. */
  readonly fresh?: boolean
  /** How many of the likeliest ids come with each id, or with each position that is scored: 0, the default, to 20. */
  readonly likeliest?: number
  /** Whether only ids of a mask may come next; every step that samples for it brings one. */
  readonly constrained?: boolean
}

/** The place of a sequence in an engine, from `open` to `close`. Only the engine changes it. */
export interface Slot {
  readonly index: number
  /** Leading ids of the prompt whose keys and values were in the cache. */
  readonly cachedTokens: number
  /** Ids of the prompt that no step has computed yet. */
  readonly pendingTokens: number
  /** Whether further steps would give nothing: every position has been sampled, or will be by steps under way. */
  readonly exhausted: boolean
}

/** A part of a prompt: the next `count` ids of a slot that no step has computed. */
export interface Chunk {
  readonly slot: Slot
  readonly count: number
  /** Whether the logits at every position of the chunk are wanted; nothing is sampled behind it then. */
  readonly logits?: boolean
  /** The same for scores. */
  readonly scores?: boolean
}

/** Work that an engine does at once: one row for each of some sequences, and chunks of prompts. */
export interface Step {
  /** Slots whose prompt is computed: each is fed the id that was sampled last, and the next is sampled. */
  readonly rows: readonly Slot[]
  readonly chunks: readonly Chunk[]
  /**
   * For each constrained slot that the step samples for, the ids that may come next: bit id % 32 of word id / 32,
   * u32 [ceil(vocabulary / 32)].
   */
  readonly masks?: ReadonlyMap<Slot, Uint32Array<ArrayBuffer>>
  /**
   * Ids that follow the one sampled last in some of the slots of `rows`, before the next is sampled: none of these slots is in
   * a step under way, and each id takes a row.
   */
  readonly forced?: ReadonlyMap<Slot, readonly number[]>
}

/** What a row gave. */
export interface RowOutput extends SampledId {
  /** Of each id that was forced before it: how likely the model itself found it, and the likeliest where they are wanted. */
  readonly forced?: readonly RowScores[]
}

/** What a chunk gave. */
export interface ChunkOutput {
  /** The first id of the answer, where the chunk was the last of its prompt. */
  readonly sampled?: SampledId
  /** f32 [count, vocabulary], where logits were wanted. */
  readonly logits?: Float32Array<ArrayBuffer>
  /** One for each position, where scores were wanted; the target of a position is the id that follows it in the prompt. */
  readonly scores?: readonly RowScores[]
}

/**
 * What a step gives, in the order in which it was asked for. Rows are computed first, and do not wait for the chunks. An error
 * is that of both.
 */
export interface StepOutput {
  readonly rows: Promise<readonly RowOutput[]>
  readonly chunks: Promise<readonly ChunkOutput[]>
}

/** A sequence whose place was given to others, with its keys and values on the host. */
export interface SuspendedSequence {
  readonly start: SequenceStart
}

/**
 * Runs steps of rows on whatever computes: the layers of a model, the cache of keys and values, and the choice of ids.
 * That the ids which a slot holds are the ids whose keys and values are in its pages is the engine's business alone.
 */
export interface Engine {
  readonly config: ModelConfig
  /** Positions that prompt and answer together may take. */
  readonly contextLength: number
  /** Sequences that can have a slot at once. */
  readonly maxSequences: number
  /** The most ids of prompts that a step takes. */
  readonly chunkTokens: number
  /** The most rows of a step, those of forced ids included; undefined where no ids can be forced. */
  readonly mostRows?: number
  /** Steps that may be under way at once: while the host reads one id, others are computed. */
  readonly stepsUnderWay: number
  /** Bytes of device memory, by purpose. */
  readonly memory: Readonly<Record<MemoryKind, number>>
  /** Bytes of the cache that hold something, of running sequences, of prefixes and of sequences that ended. */
  readonly cacheUsed: number

  /** Positions that prompt and answer together may take behind a prefix. */
  available(prefix: AdapterHandle | undefined): number
  /** Whether a prefix is on this engine's device. */
  owns(prefix: AdapterHandle): boolean
  /**
   * Gives a sequence a slot, with pages for its prompt and the first row of its answer.
   * @returns undefined where no slot is free, or there are not enough pages, until another sequence ends
   * @throws `option.invalid` for stop ids, biases or bans that there is no room for
   */
  open(start: SequenceStart): Slot | undefined
  /**
   * Makes sure that the next row of a slot has a page, and those of so many forced ids.
   * @returns false where there is none until another sequence ends
   */
  reserve(slot: Slot, forced?: number): boolean
  /** What has to be compiled before a step can run; undefined where all is ready. */
  prepare(step: Step): Promise<void> | undefined
  /**
   * Submits a step; those submitted before are computed first. No slot may be in it twice, and every row must have been
   * reserved. At most `stepsUnderWay` may be submitted and not settled.
   * @throws `device.lost`, also as rejection of what the step gives
   */
  run(step: Step): StepOutput
  /**
   * Begins the next row of each of some slots, as far as it does not depend on masks: the layers, which take the ids from the
   * device, run while the host finds out from these ids what may come next. A step of just these rows then takes up what was
   * begun; any other computes it again. Every row must have been reserved, and the step before it submitted.
   */
  begin?(slots: readonly Slot[]): void
  /** Takes the place of a sequence back. @param spoiled whether what it computed must not be used by others */
  close(slot: Slot, spoiled?: boolean): void
  /** Takes the place of a sequence, none of whose steps is under way, and keeps what it needs to go on exactly as it was. */
  suspend(slot: Slot): Promise<SuspendedSequence>
  /** Gives a suspended sequence a slot again. @returns undefined as `open` */
  resume(suspended: SuspendedSequence): Slot | undefined
  /** Forgets what ended sequences left in the cache, for example because the weights changed. */
  forget(): void
  /** Forgets a prefix that is about to be freed; no sequence may use it. */
  release(prefix: AdapterHandle): void
}
