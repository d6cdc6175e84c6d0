import { type Dispatch, encodeDispatches, type Gpu } from '../../../gpu/index.js'
import { OUTPUT_WORDS, readOutput, type SampledId } from '../../../kernels/index.js'
import type { ModelConfig } from '../../model/index.js'
import type { Activations } from './forward.js'
import type { StepPlan } from './plans.js'
import type { SlotState } from './slot.js'
import type { SlotTables } from './slot-tables.js'

/**
 * Steps under way at once. While the host reads one id, the GPU is at work on the next; more than a few would only
 * be thrown away when a sequence ends.
 */
export const STEPS_UNDER_WAY = 3

/** Rows whose logits are computed at a time where all are wanted; a row of ChatGLM3's is 260 kB. */
export const LOGITS_ROWS = 16

/** What the logits at every position of a chunk are computed in. */
export type LogitsBuffers = Readonly<Record<'hidden' | 'normed' | 'logits', GPUBuffer>>

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
  /** What comes back of a step, in buffers that are used in turn. */
  readonly #staging: GPUBuffer[]
  /** The slots of the rows that are ready for the next step. */
  #rows: readonly number[] = []

  /** @param maxRows rows, and first ids of answers, of a step */
  constructor(gpu: Gpu, config: ModelConfig, buffers: StepBuffers, maxRows: number) {
    this.#gpu = gpu
    this.#config = config
    this.#buffers = buffers
    const MAP_READ_COPY_DST = 0x1 | 0x8
    this.#staging = Array.from({ length: STEPS_UNDER_WAY }, (_, index) =>
      gpu.allocate('activations', `ids ${index}`, 2 * maxRows * OUTPUT_WORDS * 4, MAP_READ_COPY_DST),
    )
  }

  /** A buffer for what a step gives. @throws TypeError where too many steps are under way */
  takeStaging(): GPUBuffer {
    const buffer = this.#staging.pop()
    if (!buffer) throw new TypeError(`More than ${STEPS_UNDER_WAY} steps are under way.`)
    return buffer
  }

  /** Forgets which rows are ready: a slot has another sequence now. */
  forgetRows(): void {
    this.#rows = []
  }

  /** Submits a row of each slot: the layers for the id sampled last, and the choice of the next. */
  submitRows(plan: StepPlan, slots: readonly SlotState[], staging: GPUBuffer): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'step' })
    const isReady =
      slots.length === this.#rows.length && slots.every(({ index }, i) => index === this.#rows[i])
    if (!isReady) {
      this.#rows = slots.map(({ index }) => index)
      this.#buffers.tables.encodeRows(encoder, this.#rows)
    }
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, plan.body, slots.length)
    encodeDispatches(pass, plan.head, slots.length)
    pass.end()
    this.#buffers.tables.encodeOutputs(encoder, slots.length, staging, 0)
    this.#gpu.device.queue.submit([encoder.finish()])
  }

  /** Submits a chunk of a prompt, from token ids to the residual stream. @param ids of consecutive positions from `first` on */
  submitChunk(body: readonly Dispatch[], slot: SlotState, ids: readonly number[], first: number): void {
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

  /** Submits the choice of the first ids of answers, from the residual streams that were kept. */
  submitFirst(plan: StepPlan, slots: readonly SlotState[], staging: GPUBuffer, firstOutput: number): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'first ids' })
    const { tables } = this.#buffers
    tables.encodeRows(
      encoder,
      slots.map(({ index }) => index),
    )
    this.#rows = []
    this.#encode(encoder, plan.head, slots.length)
    tables.encodeOutputs(encoder, slots.length, staging, firstOutput)
    this.#gpu.device.queue.submit([encoder.finish()])
  }

  /** Submits the logits at all rows of the chunk that was submitted last. @returns a buffer of them that can be mapped */
  submitLogits(head: readonly Dispatch[], buffers: LogitsBuffers, rows: number): GPUBuffer {
    const { hidden, vocabulary } = this.#config
    const { device } = this.#gpu
    const MAP_READ_COPY_DST = 0x1 | 0x8
    const size = rows * vocabulary * 4
    const all = device.createBuffer({ label: 'logits of a chunk', size, usage: MAP_READ_COPY_DST })
    const encoder = device.createCommandEncoder({ label: 'logits' })
    for (let row = 0; row < rows; row += LOGITS_ROWS) {
      const count = Math.min(LOGITS_ROWS, rows - row)
      const from = this.#buffers.prefill.hidden
      encoder.copyBufferToBuffer(from, row * hidden * 4, buffers.hidden, 0, count * hidden * 4)
      this.#encode(encoder, head, count)
      encoder.copyBufferToBuffer(buffers.logits, 0, all, row * vocabulary * 4, count * vocabulary * 4)
    }
    device.queue.submit([encoder.finish()])
    return all
  }

  /** Waits for a step and gives its outputs; the buffer can be used again. @param count outputs that the step has */
  async read(staging: GPUBuffer, count: number): Promise<SampledId[]> {
    try {
      if (count === 0) {
        await this.#gpu.finish()
        return []
      }
      const words = new Uint32Array(await this.#gpu.wait(readAndUnmap(staging, count * OUTPUT_WORDS * 4)))
      return Array.from({ length: count }, (_, row) => readOutput(words, row))
    } finally {
      this.#staging.push(staging)
    }
  }

  /** Waits for logits, and frees their buffer. */
  async readLogits(buffer: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
    try {
      return new Float32Array(await this.#gpu.wait(readAndUnmap(buffer, buffer.size)))
    } finally {
      buffer.destroy()
    }
  }

  #encode(encoder: GPUCommandEncoder, dispatches: readonly Dispatch[], rows: number): void {
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, dispatches, rows)
    pass.end()
  }
}

async function readAndUnmap(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const MAP_READ = 0x1
  await buffer.mapAsync(MAP_READ, 0, bytes)
  const copy = buffer.getMappedRange(0, bytes).slice(0)
  buffer.unmap()
  return copy
}
