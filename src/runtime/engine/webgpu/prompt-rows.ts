import { type Dispatch, encodeDispatches, type Gpu } from '../../../gpu/index.js'
import {
  compileLogProbabilities,
  LOG_PROBABILITY_WORDS,
  NO_TARGET,
  type RowScores,
  readLogProbabilities,
} from '../../../kernels/index.js'
import type { ModelConfig } from '../../model/index.js'
import { Prepared } from './prepared.js'
import { readAndUnmap } from './step-runner.js'

/** Rows whose logits are computed at a time where all are wanted; a row of ChatGLM3's is 260 kB. */
export const LOGITS_ROWS = 16

/** What the logits at every position of a chunk are computed in, so many rows at a time. */
export type LogitsBuffers = Readonly<Record<'hidden' | 'normed' | 'logits', GPUBuffer>>

/** What blocks of rows are computed with. */
interface Blocks {
  readonly buffers: LogitsBuffers & Readonly<Record<'targets' | 'scores' | 'chunkTargets', GPUBuffer>>
  /** From the residual stream to logits. */
  readonly head: readonly Dispatch[]
  /** From logits to scores. */
  readonly score: readonly Dispatch[]
}

const MAP_READ_COPY_DST = 0x1 | 0x8

/** The logits at all rows of a chunk of a prompt, or what they say, computed in blocks of a few rows. */
export class PromptRows {
  /** Compiled when such rows are first wanted. */
  readonly blocks = new Prepared(() => this.#build())
  readonly #gpu: Gpu
  readonly #config: ModelConfig
  readonly #hidden: GPUBuffer
  readonly #chunkTokens: number
  readonly #buildHead: (buffers: LogitsBuffers) => Promise<Dispatch[]>

  /**
   * @param hidden f32 [chunkTokens, hidden], the residual stream of the chunk that was submitted last
   * @param buildHead gives the dispatches from a block's residual stream to its logits
   */
  constructor(
    gpu: Gpu,
    config: ModelConfig,
    hidden: GPUBuffer,
    chunkTokens: number,
    buildHead: (buffers: LogitsBuffers) => Promise<Dispatch[]>,
  ) {
    this.#gpu = gpu
    this.#config = config
    this.#hidden = hidden
    this.#chunkTokens = chunkTokens
    this.#buildHead = buildHead
  }

  async #build(): Promise<Blocks> {
    const { vocabulary, hidden } = this.#config
    const gpu = this.#gpu
    const words = (label: string, count: number) => gpu.allocate('activations', label, count * 4)
    const buffers = await gpu.allocating('logits', () => ({
      hidden: words('logits hidden', LOGITS_ROWS * hidden),
      normed: words('logits normed', LOGITS_ROWS * hidden),
      logits: words('logits of a block', LOGITS_ROWS * vocabulary),
      targets: words('targets of a block', LOGITS_ROWS),
      scores: words('scores of a block', LOGITS_ROWS * LOG_PROBABILITY_WORDS),
      chunkTargets: words('targets of a chunk', this.#chunkTokens),
    }))
    const [head, kernel] = await Promise.all([
      this.#buildHead(buffers),
      compileLogProbabilities(gpu, { vocabulary }),
    ])
    const { logits, targets, scores } = buffers
    return { buffers, head, score: kernel.bind('scores', { logits, targets, outputs: scores }) }
  }

  /** @returns f32 [rows, vocabulary], of the chunk that was submitted last */
  async logits(rows: number): Promise<Float32Array<ArrayBuffer>> {
    const { buffers, head } = this.blocks.ready
    const rowBytes = this.#config.vocabulary * 4
    return new Float32Array(
      await this.#blocks('logits', rows, rowBytes, (encoder, row, count, all) => {
        this.#encode(encoder, head, count)
        encoder.copyBufferToBuffer(buffers.logits, 0, all, row * rowBytes, count * rowBytes)
      }),
    )
  }

  /**
   * @param targets the id whose log-probability is wanted at each row of the chunk that was submitted last; undefined for none
   * @param likeliest how many of the likeliest ids are wanted
   */
  async scores(targets: readonly (number | undefined)[], likeliest: number): Promise<RowScores[]> {
    const { buffers, head, score } = this.blocks.ready
    const words = Uint32Array.from(targets, (id) => id ?? NO_TARGET)
    this.#gpu.device.queue.writeBuffer(buffers.chunkTargets, 0, words)
    const rowBytes = LOG_PROBABILITY_WORDS * 4
    const outputs = await this.#blocks('scores', targets.length, rowBytes, (encoder, row, count, all) => {
      encoder.copyBufferToBuffer(buffers.chunkTargets, row * 4, buffers.targets, 0, count * 4)
      this.#encode(encoder, [...head, ...score], count)
      encoder.copyBufferToBuffer(buffers.scores, 0, all, row * rowBytes, count * rowBytes)
    })
    const read = new Uint32Array(outputs)
    return targets.map((_, row) => readLogProbabilities(read, row, likeliest))
  }

  /** Submits all blocks of a chunk, and reads what they put into a buffer of `rowBytes` a row. */
  async #blocks(
    label: string,
    rows: number,
    rowBytes: number,
    block: (encoder: GPUCommandEncoder, row: number, count: number, all: GPUBuffer) => void,
  ): Promise<ArrayBuffer> {
    const { device } = this.#gpu
    const { buffers } = this.blocks.ready
    const width = this.#config.hidden * 4
    const all = device.createBuffer({ label, size: rows * rowBytes, usage: MAP_READ_COPY_DST })
    try {
      const encoder = device.createCommandEncoder({ label })
      for (let row = 0; row < rows; row += LOGITS_ROWS) {
        const count = Math.min(LOGITS_ROWS, rows - row)
        encoder.copyBufferToBuffer(this.#hidden, row * width, buffers.hidden, 0, count * width)
        block(encoder, row, count, all)
      }
      device.queue.submit([encoder.finish()])
      return await this.#gpu.wait(readAndUnmap(all, all.size))
    } finally {
      all.destroy()
    }
  }

  #encode(encoder: GPUCommandEncoder, dispatches: readonly Dispatch[], rows: number): void {
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, dispatches, rows)
    pass.end()
  }
}
