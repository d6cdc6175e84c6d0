import { type Dispatch, encodeDispatches, type Gpu } from '../../../gpu/index.js'
import { OUTPUT_WORDS, readOutput, type SampledId } from '../../../kernels/index.js'
import type { Sampler } from './sampler.js'

/**
 * Steps under way at once. While the host reads one id, the GPU is at work on the next; more than a few would only
 * be thrown away when a sequence ends.
 */
const STEPS_UNDER_WAY = 3

/** The GPU work of one decode step over `rows` sequences, built once. */
export interface StepPlan {
  readonly rows: number
  /** From the ids sampled last to the residual stream. */
  readonly body: readonly Dispatch[]
  /** From the residual stream to logits, and the next ids. */
  readonly head: readonly Dispatch[]
}

/** Runs decode steps and reads their ids behind them. Its buffers are made once and used in turn. */
export class TokenLoop {
  readonly #gpu: Gpu
  readonly #sampler: Sampler
  readonly #staging: readonly GPUBuffer[]

  constructor(gpu: Gpu, sampler: Sampler) {
    this.#gpu = gpu
    this.#sampler = sampler
    const MAP_READ_COPY_DST = 0x1 | 0x8
    this.#staging = Array.from({ length: STEPS_UNDER_WAY }, (_, index) =>
      gpu.allocate('activations', `ids ${index}`, sampler.batch * OUTPUT_WORDS * 4, MAP_READ_COPY_DST),
    )
  }

  /**
   * Samples from the residual stream that prefill left, then goes on step by step.
   * @param steps the most steps to run
   * @yields what each row got in a step, in order; rows that have finished get no id
   * @throws DeviceLostError
   */
  async *run(plan: StepPlan, steps: number): AsyncGenerator<readonly SampledId[]> {
    const underWay: Promise<Uint32Array<ArrayBuffer>>[] = []
    let submitted = 0
    const submit = () => {
      const line = this.#submit(plan, submitted++)
      // Awaited below, but an error may come earlier than that.
      line.catch(() => {})
      underWay.push(line)
    }
    try {
      while (true) {
        while (submitted < steps && underWay.length < STEPS_UNDER_WAY) submit()
        const line = await underWay.shift()
        if (!line) return
        yield Array.from({ length: plan.rows }, (_, row) => readOutput(line, row))
      }
    } finally {
      // Steps that nobody waits for any more must end before their buffers can be used again.
      await Promise.allSettled(underWay)
    }
  }

  /** Submits a step and gives what it puts out, once it is done. */
  #submit(plan: StepPlan, step: number): Promise<Uint32Array<ArrayBuffer>> {
    const { device } = this.#gpu
    const buffer = this.#staging[step % STEPS_UNDER_WAY]
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    if (step > 0) encodeDispatches(pass, plan.body, plan.rows)
    encodeDispatches(pass, plan.head, plan.rows)
    pass.end()
    this.#sampler.encodeCopy(encoder, step, buffer)
    device.queue.submit([encoder.finish()])
    return this.#gpu.wait(readAndUnmap(buffer))
  }
}

async function readAndUnmap(buffer: GPUBuffer): Promise<Uint32Array<ArrayBuffer>> {
  const MAP_READ = 0x1
  await buffer.mapAsync(MAP_READ)
  const line = new Uint32Array(buffer.getMappedRange().slice(0))
  buffer.unmap()
  return line
}
