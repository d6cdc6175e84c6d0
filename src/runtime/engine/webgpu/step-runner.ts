import { type Dispatch, encodeDispatches, type Gpu } from '../../../gpu/index.js'
import {
  LOG_PROBABILITY_WORDS,
  OUTPUT_WORDS,
  readLogProbabilities,
  readOutput,
} from '../../../kernels/index.js'
import type { ModelConfig } from '../../model/index.js'
import type { RowOutput } from '../engine.js'
import type { ForcedRow } from './forced-rows.js'
import type { Activations } from './forward.js'
import type { StepPlan } from './plans.js'
import type { SlotState } from './slot.js'
import type { SlotTables } from './slot-tables.js'

/**
 * Steps under way at once. While the host reads one id, the GPU is at work on the next; more than a few would only
 * be thrown away when a sequence ends.
 */
export const STEPS_UNDER_WAY = 3

/** The buffers that steps work in. */
export interface StepBuffers {
  readonly prefill: Activations
  readonly decode: Activations
  readonly tables: SlotTables
}

/** Submits the work of steps to the GPU, and reads what they gave. Creates nothing but command buffers. */
export class StepRunner {
  readonly #gpu: Gpu
  readonly #config: ModelConfig
  readonly #buffers: StepBuffers
  /**
   * What comes back of the rows of a step, in buffers that are used in turn: outputs, then the likeliest ids. It is read
   * while the chunks of the step are computed.
   */
  readonly #ofRows: GPUBuffer[]
  /** The same of the first ids of answers. */
  readonly #ofFirst: GPUBuffer[]
  /** Bytes of a staging buffer before the likeliest ids. */
  readonly #likeliestAt: number
  /** The slots of the rows that are ready for the next step. */
  #rows: readonly number[] = []
  /** The slots whose layers were submitted ahead of what samples from them. */
  #begun: readonly number[] = []

  /** @param maxRows rows, and first ids of answers, of a step */
  constructor(gpu: Gpu, config: ModelConfig, buffers: StepBuffers, maxRows: number) {
    this.#gpu = gpu
    this.#config = config
    this.#buffers = buffers
    const MAP_READ_COPY_DST = 0x1 | 0x8
    this.#likeliestAt = maxRows * OUTPUT_WORDS * 4
    const bytes = this.#likeliestAt + maxRows * LOG_PROBABILITY_WORDS * 4
    const staging = (label: string) =>
      Array.from({ length: STEPS_UNDER_WAY }, (_, index) =>
        gpu.allocate('activations', `${label} ${index}`, bytes, MAP_READ_COPY_DST),
      )
    this.#ofRows = staging('ids')
    this.#ofFirst = staging('first ids')
  }

  /** Forgets which rows are ready: a slot has another sequence now. */
  forgetRows(): void {
    this.#rows = []
    this.#begun = []
  }

  /** Submits the layers for the ids sampled last, ahead of the choice of the next. */
  beginRows(plan: StepPlan, slots: readonly SlotState[]): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'step, begun' })
    this.#readyRows(encoder, slots)
    this.#encode(encoder, plan.body, slots.length)
    this.#gpu.device.queue.submit([encoder.finish()])
    this.#begun = this.#rows
  }

  /** Makes the rows of slots ready, if they are not. */
  #readyRows(encoder: GPUCommandEncoder, slots: readonly SlotState[]): void {
    if (isOf(this.#rows, slots)) return
    this.#rows = slots.map(({ index }) => index)
    this.#buffers.tables.encodeRows(encoder, this.#rows)
  }

  /**
   * Submits a row of each slot: the layers for the id sampled last, and the choice of the next.
   * @param score the dispatches from logits to the likeliest ids; none where nobody wants them
   * @param forced rows behind those that are sampled from
   * @returns what was sampled, as soon as it is there, whatever is submitted behind it
   */
  submitRows(
    plan: StepPlan,
    slots: readonly SlotState[],
    score: readonly Dispatch[],
    forced: readonly ForcedRow[],
  ): Promise<RowOutput[]> {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'step' })
    if (forced.length > 0) this.forgetRows()
    this.#readyRows(encoder, slots)
    if (forced.length > 0) this.#buffers.tables.writeForcedRows(slots.length, forced)
    const rows = slots.length + forced.length
    const pass = encoder.beginComputePass()
    if (!isOf(this.#begun, slots)) encodeDispatches(pass, plan.body, rows)
    this.#begun = []
    encodeDispatches(pass, plan.head, rows)
    encodeDispatches(pass, plan.sample, slots.length)
    encodeDispatches(pass, score, rows)
    pass.end()
    return this.#submitSampled(encoder, slots, this.#ofRows, forced)
  }

  /** Submits a chunk of a prompt, from token ids to the residual stream. @param ids of consecutive positions from `first` on */
  submitChunk(body: readonly Dispatch[], slot: SlotState, ids: readonly number[], first: number): void {
    this.#begun = []
    const prefixLength = slot.start.prefix?.length ?? 0
    const rows = ids.flatMap((id, i) => [id, slot.index, first + i, prefixLength])
    this.#gpu.device.queue.writeBuffer(this.#buffers.prefill.rows, 0, new Uint32Array(rows))
    this.submit('chunk', body, ids.length)
  }

  /** Submits dispatches in one pass, in order. */
  submit(label: string, dispatches: readonly Dispatch[], rows: number): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label })
    this.#encode(encoder, dispatches, rows)
    this.#gpu.device.queue.submit([encoder.finish()])
  }

  /** Keeps the residual stream of a chunk's last row, as row `row` of those that first ids are sampled from. */
  keepLastRow(rows: number, row: number): void {
    const bytes = this.#config.hidden * 4
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'last row' })
    const { prefill, decode } = this.#buffers
    encoder.copyBufferToBuffer(prefill.hidden, (rows - 1) * bytes, decode.hidden, row * bytes, bytes)
    this.#gpu.device.queue.submit([encoder.finish()])
  }

  /**
   * Submits the choice of the first ids of answers, from the residual streams that were kept.
   * @param score as for `submitRows`
   * @returns what was sampled
   */
  submitFirst(plan: StepPlan, slots: readonly SlotState[], score: readonly Dispatch[]): Promise<RowOutput[]> {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'first ids' })
    const { tables } = this.#buffers
    tables.encodeRows(
      encoder,
      slots.map(({ index }) => index),
    )
    this.forgetRows()
    this.#encode(encoder, [...plan.head, ...plan.sample, ...score], slots.length)
    return this.#submitSampled(encoder, slots, this.#ofFirst)
  }

  /** Submits what samples an id for each slot, and reads the ids into a buffer of a pool. */
  async #submitSampled(
    encoder: GPUCommandEncoder,
    slots: readonly SlotState[],
    pool: GPUBuffer[],
    forced: readonly ForcedRow[] = [],
  ): Promise<RowOutput[]> {
    const staging = pool.pop()
    if (!staging) throw new TypeError(`More than ${STEPS_UNDER_WAY} steps are under way.`)
    const { outputs, likeliest } = this.#buffers.tables
    const bytes = slots.length * OUTPUT_WORDS * 4
    const scoreBytes = (slots.length + forced.length) * LOG_PROBABILITY_WORDS * 4
    const scored = forced.length > 0 || slots.some((slot) => slot.likeliest > 0)
    try {
      encoder.copyBufferToBuffer(outputs, 0, staging, 0, bytes)
      if (scored) encoder.copyBufferToBuffer(likeliest, 0, staging, this.#likeliestAt, scoreBytes)
      this.#gpu.device.queue.submit([encoder.finish()])
      const end = scored ? this.#likeliestAt + scoreBytes : bytes
      const words = new Uint32Array(await this.#gpu.wait(readAndUnmap(staging, end)))
      const scores = words.subarray(this.#likeliestAt / 4)
      return slots.map((slot, row) => {
        const output = readOutput(words, row)
        const read = (at: number) => readLogProbabilities(scores, at, slot.likeliest)
        const own = forced.flatMap((one, i) => (one.slot === slot ? [read(slots.length + i)] : []))
        return {
          ...output,
          ...(slot.likeliest > 0 && { likeliest: read(row).likeliest }),
          ...(own.length > 0 && { forced: own }),
        }
      })
    } finally {
      pool.push(staging)
    }
  }

  #encode(encoder: GPUCommandEncoder, dispatches: readonly Dispatch[], rows: number): void {
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, dispatches, rows)
    pass.end()
  }
}

/** Reads the first bytes of a buffer that can be mapped. */
export async function readAndUnmap(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const MAP_READ = 0x1
  await buffer.mapAsync(MAP_READ, 0, bytes)
  const copy = buffer.getMappedRange(0, bytes).slice(0)
  buffer.unmap()
  return copy
}

/** Whether rows are those of slots, in order; never of none. */
function isOf(rows: readonly number[], slots: readonly SlotState[]): boolean {
  return rows.length > 0 && rows.length === slots.length && slots.every(({ index }, i) => index === rows[i])
}
