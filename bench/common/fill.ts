import source from './fill.wgsl?raw'
import { type Gpu, STORAGE_USAGE } from './internals.js'

/** What a buffer is filled with. */
export type Filling =
  | { readonly kind: 'bits' }
  | { readonly kind: 'f32' | 'f16'; readonly center: number; readonly range: number }
  /** A NaN in every word, as f32 and as f16. */
  | { readonly kind: 'poison' }

const KINDS = { bits: 0, f32: 1, f16: 2, poison: 3 }
const POISON = 0x7fff_ffff
const MAX_WORKGROUPS = 4096

/** Uniform numbers around 0 with a standard deviation. */
export function uniform(kind: 'f32' | 'f16', deviation: number, center = 0): Filling {
  return { kind, center, range: Math.sqrt(3) * deviation }
}

/** Writes seeded random contents on the GPU itself, which no upload could keep up with. */
export class Filler {
  readonly #gpu: Gpu
  readonly #pipeline: GPUComputePipeline
  readonly #workgroupSize: number
  #seed: number

  private constructor(gpu: Gpu, pipeline: GPUComputePipeline, workgroupSize: number, seed: number) {
    this.#gpu = gpu
    this.#pipeline = pipeline
    this.#workgroupSize = workgroupSize
    this.#seed = seed
  }

  /** @param seed the same seed and calls give the same contents, on every adapter but for rounding to f16 */
  static async create(gpu: Gpu, seed: number): Promise<Filler> {
    const workgroupSize = gpu.workgroupSize(256)
    const pipeline = await gpu.compile('fill', [source], { u32: { WORKGROUP_SIZE: workgroupSize } })
    return new Filler(gpu, pipeline, workgroupSize, seed)
  }

  /** Fills a whole buffer. */
  fill(buffer: GPUBuffer, filling: Filling): void {
    const { device } = this.#gpu
    const words = new Uint32Array([this.#seed++, KINDS[filling.kind], POISON, 0])
    if ('center' in filling) {
      const floats = new Float32Array(words.buffer)
      floats[2] = filling.center
      floats[3] = filling.range
    }
    const parameters = device.createBuffer({ label: 'fill parameters', size: 16, usage: STORAGE_USAGE })
    device.queue.writeBuffer(parameters, 0, words)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(this.#pipeline)
    pass.setBindGroup(0, this.#gpu.bind(this.#pipeline, 'fill', [parameters, buffer]))
    pass.dispatchWorkgroups(Math.min(MAX_WORKGROUPS, Math.ceil(buffer.size / 4 / this.#workgroupSize)))
    pass.end()
    device.queue.submit([encoder.finish()])
    parameters.destroy()
  }
}
