import { InvalidOptionError } from '../../../errors/index.js'
import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  bannedSequenceWords,
  compileBanSequences,
  compilePenalize,
  compileSample,
  logitBiasFloats,
  MAX_STOP_IDS,
  OUTPUT_WORDS,
  promptCounts,
  SAMPLING_PARAMETER_WORDS,
  SEQUENCE_WORDS,
  samplingParameterWords,
  sequenceWords,
} from '../../../kernels/index.js'
import type { ResolvedSampling } from '../sampling-options.js'

/** Ids that a row remembers to recognise banned sequences; longer sequences are refused. */
const HISTORY_CAPACITY = 64
/** Words of the table of banned sequences. */
const BANNED_CAPACITY = 2 ** 14
/** Lines of the output ring; more than there are steps under way. */
const RING_STEPS = 8

/** A sequence about to be generated, in the sampler's eyes. */
export interface SampledRow {
  readonly promptIds: readonly number[]
  readonly slot: number
  readonly prefixLength: number
  readonly seed: number
  /** Positions below this may hold an id. */
  readonly positionLimit: number
}

/**
 * The choice of the next ids, on the GPU: penalties, bans and sampling over a few rows of logits. Everything that
 * changes from step to step is in GPU buffers, which the kernels advance themselves.
 */
export class Sampler {
  readonly batch: number
  /** vec4<u32> [batch]: (token, slot, position, prefix length) of each row's next step. */
  readonly rows: GPUBuffer
  /** f32 [batch, vocabulary] */
  readonly logits: GPUBuffer

  readonly #gpu: Gpu
  readonly #vocabulary: number
  readonly #scores: GPUBuffer
  readonly #counts: GPUBuffer
  readonly #logitBias: GPUBuffer
  readonly #banned: GPUBuffer
  readonly #history: GPUBuffer
  readonly #sequences: GPUBuffer
  readonly #parameters: GPUBuffer
  readonly #outputs: GPUBuffer

  constructor(gpu: Gpu, vocabulary: number, batch: number) {
    this.#gpu = gpu
    this.#vocabulary = vocabulary
    this.batch = batch
    const words = (label: string, count: number) => gpu.allocate('activations', label, count * 4)
    this.rows = words('decode rows', batch * 4)
    this.logits = words('logits', batch * vocabulary)
    this.#scores = words('scores', batch * vocabulary)
    this.#counts = words('counts', batch * vocabulary)
    this.#logitBias = words('logit bias', vocabulary)
    this.#banned = words('banned sequences', BANNED_CAPACITY)
    this.#history = words('history', batch * HISTORY_CAPACITY)
    this.#sequences = words('sequences', batch * SEQUENCE_WORDS)
    this.#parameters = words('sampling parameters', SAMPLING_PARAMETER_WORDS)
    this.#outputs = words('sampled ids', RING_STEPS * batch * OUTPUT_WORDS)
  }

  /** The dispatches from logits to the next ids. */
  async build(): Promise<Dispatch[]> {
    const gpu = this.#gpu
    const sizes = { vocabulary: this.#vocabulary, historyCapacity: HISTORY_CAPACITY }
    const [penalize, ban, sample] = await Promise.all([
      compilePenalize(gpu, sizes),
      compileBanSequences(gpu, sizes),
      compileSample(gpu, { ...sizes, batch: this.batch, ringSteps: RING_STEPS }),
    ])
    const buffers = {
      rows: this.rows,
      logits: this.logits,
      scores: this.#scores,
      counts: this.#counts,
      logitBias: this.#logitBias,
      banned: this.#banned,
      history: this.#history,
      sequences: this.#sequences,
      parameters: this.#parameters,
      outputs: this.#outputs,
    }
    return [penalize('penalize', buffers), ban('ban sequences', buffers), sample('sample', buffers)]
  }

  /**
   * Sets the state of rows that start to generate.
   * @throws InvalidOptionError for more stop ids or banned sequences than there is room for
   */
  start(rows: readonly SampledRow[], sampling: ResolvedSampling, stopIds: readonly number[]): void {
    if (stopIds.length > MAX_STOP_IDS) {
      throw new InvalidOptionError('stopIds', `${stopIds.length} ids`, `at most ${MAX_STOP_IDS}`)
    }
    const sizes = { vocabulary: this.#vocabulary, historyCapacity: HISTORY_CAPACITY }
    const tooLong = sampling.bannedIds.find((ids) => ids.length > HISTORY_CAPACITY)
    if (tooLong) {
      throw new InvalidOptionError(
        'bannedIds',
        `${tooLong.length} ids long`,
        `at most ${HISTORY_CAPACITY} ids`,
      )
    }
    // Single ids need no history, and there may be thousands of them.
    const single = sampling.bannedIds.filter((ids) => ids.length === 1)
    const sequences = sampling.bannedIds.filter((ids) => ids.length > 1)
    const banned = bannedSequenceWords(sequences, sizes)
    if (banned.length > BANNED_CAPACITY) {
      throw new InvalidOptionError('bannedIds', `${banned.length} words`, `at most ${BANNED_CAPACITY} in all`)
    }
    const { queue } = this.#gpu.device
    const given = Object.entries(sampling.logitBias).map(([id, bias]) => [Number(id), bias] as const)
    const biases = [...given, ...single.map(([id]) => [id, Number.NEGATIVE_INFINITY] as const)]
    queue.writeBuffer(this.#banned, 0, banned)
    queue.writeBuffer(this.#logitBias, 0, logitBiasFloats(biases, this.#vocabulary))
    queue.writeBuffer(this.#parameters, 0, samplingParameterWords({ ...sampling, stopIds }))
    queue.writeBuffer(this.#sequences, 0, sequenceWords(rows))
    rows.forEach(({ promptIds, slot, prefixLength }, row) => {
      // The sampler puts the id it draws at the position behind the one given here.
      const before = new Uint32Array([0, slot, promptIds.length - 1, prefixLength])
      queue.writeBuffer(this.rows, row * 16, before)
      const counts = promptCounts(promptIds, this.#vocabulary)
      queue.writeBuffer(this.#counts, row * this.#vocabulary * 4, counts)
    })
  }

  /** Copies what a step put out to a buffer that the host can map. */
  encodeCopy(encoder: GPUCommandEncoder, step: number, target: GPUBuffer): void {
    const bytes = this.batch * OUTPUT_WORDS * 4
    encoder.copyBufferToBuffer(this.#outputs, (step % RING_STEPS) * bytes, target, 0, bytes)
  }
}
