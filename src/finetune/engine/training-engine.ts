import type { TrainingSample } from '../../data/index.js'
import type { ProductRole } from '../../runtime/model/index.js'

/** The loss of one sequence. */
export interface SampleLoss {
  /** Cross entropy in nats, mean over the targets. */
  readonly loss: number
  /** How many there are. */
  readonly targets: number
}

/** What is trained, and the largest sequence it is trained on. */
export interface PrefixTrainingOptions {
  /** Rows of the prefix (`pre_seq_len`). */
  readonly prefixLength: number
  /** Whether the prefix goes through two layers before it enters the model (`prefix_projection`). */
  readonly projection: boolean
  /** Tokens of the longest sequence; buffers are allocated for it. */
  readonly maxSequenceLength: number
  /**
   * Tokens that may go through the model at once, of several sequences of a micro-batch together. Used where nothing is
   * dropped, because each sequence would drop other elements of the prefix, and where attention computes in f32 anyway.
   * Default: those of one sequence.
   */
  readonly maxTokens?: number
  /** Probability with which an element of the prefix is dropped in training; 0.1 in the official model. */
  readonly dropout: number
  /** Of the initial parameters. */
  readonly seed: number
}

/** The largest sequences that all weights of a model are trained on. */
export interface ModelTrainingOptions {
  /** Tokens of the longest sequence. */
  readonly maxSequenceLength: number
  /** Tokens that go through the model at once, of several sequences together; buffers are allocated for them. */
  readonly maxTokens: number
}

/** What of LoRA is trained, and the largest sequences it is trained on. */
export interface LoraTrainingOptions {
  /** Numbers between the two factors. */
  readonly rank: number
  /** What the terms are multiplied by. */
  readonly scale: number
  /** The matrices that get factors. */
  readonly roles: readonly ProductRole[]
  /** Probability with which an element of what goes into A is dropped in training. */
  readonly dropout: number
  /** Tokens of the longest sequence. */
  readonly maxSequenceLength: number
  /** Tokens that may go through the model at once, of several sequences of a micro-batch together, as for a prefix. */
  readonly maxTokens?: number
  /** Of the initial values. */
  readonly seed: number
}

/** A trained parameter with the moments that AdamW keeps of its gradient. */
export interface ParameterState {
  readonly shape: readonly number[]
  readonly parameter: Float32Array<ArrayBuffer>
  readonly firstMoment: Float32Array<ArrayBuffer>
  readonly secondMoment: Float32Array<ArrayBuffer>
}

/** GPU memory of one purpose, known before anything is allocated. */
export interface PlannedMemory {
  readonly purpose: string
  readonly bytes: number
}

export interface AccumulateOptions {
  /** What the gradient of the mean loss is multiplied by before it is added; 1 / accumulation steps, as a rule. */
  readonly gradientScale: number
  /** Decides which elements of the prefix are dropped; without it none are. */
  readonly dropoutSeed: number | undefined
  readonly signal?: AbortSignal
}

/** How a micro-batch is taken. */
export interface BatchOptions {
  /** As of `AccumulateOptions`, for the mean loss over all targets of the batch. */
  readonly gradientScale: number
  /** Of each sample; without them nothing is dropped. */
  readonly dropoutSeeds: readonly number[] | undefined
  readonly signal?: AbortSignal
}

/** Settings of an AdamW step. */
export interface UpdateOptions {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** The gradient is scaled down to this global norm where it exceeds it. */
  readonly maxGradientNorm: number | undefined
  /** Number of this update, from 1 on; the moments are corrected for their start at zero by it. */
  readonly step: number
}

/**
 * Trains parameters of a model on the GPU. Calls take effect in the order in which they are made;
 * they need not be awaited before the next one, so that the GPU never waits for a loss to be read.
 */
export interface TrainingEngine {
  /** What it has allocated. */
  readonly memory: readonly PlannedMemory[]
  /**
   * Forward and backward pass of a micro-batch: adds gradientScale * d(mean loss over its targets)/d(parameters) to the
   * gradient.
   * @throws `training.sample-invalid` for ids or labels that cannot be used, `training.diverged`, the signal's reason
   */
  accumulateBatch(batch: readonly TrainingSample[], options: BatchOptions): Promise<SampleLoss>
  /** The loss of one sequence, without dropout and without a gradient. */
  evaluate(sample: TrainingSample, signal?: AbortSignal): Promise<SampleLoss>
  /**
   * Clips the gradient by its global norm, takes an AdamW step, and clears the gradient.
   * @returns the global norm before clipping
   * @throws `training.diverged` where that is NaN or infinite; the parameters are left as they were
   */
  update(options: UpdateOptions): Promise<{ readonly gradientNorm: number }>
  /** The gradient accumulated so far, by official parameter names. */
  readGradients(): Promise<Map<string, Float32Array<ArrayBuffer>>>
  /** By official names. */
  readState(): Promise<Map<string, ParameterState>>
  /** @throws `training.state-mismatch` where names or shapes are others than those of `readState` */
  writeState(state: ReadonlyMap<string, ParameterState>): void | Promise<void>
  /** Micro-batches that it can work on side by side, on GPUs of its own. Default 1. */
  readonly lanes?: number
  /**
   * Makes the engine ready to do a step again that failed with an error. The parameters are those before it.
   * @returns whether it is ready; without this method none ever is
   */
  recover?(error: unknown): Promise<boolean>
  /** Gives its GPU memory back; the model stays. */
  dispose(): void
}

/** An engine that can train together with others, each on a GPU of its own: they add up sums and share what they trained. */
export interface SharedTrainingEngine extends TrainingEngine {
  writeState(state: ReadonlyMap<string, ParameterState>): void
  /** What `accumulateBatch` added up since the last update, as it lies on the GPU. */
  readSums(): Promise<readonly Float32Array<ArrayBuffer>[]>
  /** Puts other sums in their place. */
  writeSums(sums: readonly Float32Array<ArrayBuffer>[]): void
  /** What passes through the model depend on. */
  readTrained(): Promise<readonly Float32Array<ArrayBuffer>[]>
  /** Takes over what another engine trained, and clears the sums. Parameters and moments behind it stay as they are. */
  writeTrained(values: readonly Float32Array<ArrayBuffer>[]): void
}

/**
 * Trains a P-Tuning v2 prefix over a frozen model. Its parameters are `transformer.prefix_encoder.embedding.weight`, and
 * with a projection `.trans.0.weight` and so on.
 */
export interface PrefixTrainingEngine extends SharedTrainingEngine {
  /**
   * Forward and backward pass of one sequence: adds gradientScale * d(mean loss)/d(parameters) to the gradient.
   * @throws as `accumulateBatch`
   */
  accumulate(sample: TrainingSample, options: AccumulateOptions): Promise<SampleLoss>
  /** The encoder's output, f32 [prefixLength, 2 layers * kvGroups * headDim], as `uploadPrefix` takes it. */
  readPrefixRows(): Promise<Float32Array<ArrayBuffer>>
}
