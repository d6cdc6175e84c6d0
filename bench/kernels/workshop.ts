import { Filler, type Filling, uniform } from '../common/fill.js'
import { type Gpu, unpackHalves, type WeightBuffers, type WeightFormat } from '../common/internals.js'

/** Data of all sets together exceed this, which is more than the last cache of any card. */
const ROTATED_BYTES = 256 * 2 ** 20
const MAX_SETS = 64

/** Makes the random buffers of a case, reads them, and frees them all at the end. */
export class Workshop {
  readonly gpu: Gpu
  readonly #filler: Filler
  readonly #buffers: GPUBuffer[] = []

  private constructor(gpu: Gpu, filler: Filler) {
    this.gpu = gpu
    this.#filler = filler
  }

  static async create(gpu: Gpu, seed: number): Promise<Workshop> {
    return new Workshop(gpu, await Filler.create(gpu, seed))
  }

  /** How many sets of `bytes` make calls find none of theirs in a cache. */
  sets(bytes: number): number {
    if (this.gpu.software) return 1
    return Math.min(MAX_SETS, Math.max(1, Math.ceil(ROTATED_BYTES / bytes)))
  }

  filled(label: string, byteLength: number, filling: Filling): GPUBuffer {
    const buffer = this.gpu.allocate('activations', label, byteLength)
    this.#buffers.push(buffer)
    this.#filler.fill(buffer, filling)
    return buffer
  }

  refill(buffer: GPUBuffer, filling: Filling): void {
    this.#filler.fill(buffer, filling)
  }

  /** f32 numbers around 0. */
  floats(label: string, count: number, deviation = 1): GPUBuffer {
    return this.filled(label, count * 4, uniform('f32', deviation))
  }

  /** f16 numbers. */
  halves(label: string, count: number, deviation = 1, center = 0): GPUBuffer {
    return this.filled(label, count * 2, uniform('f16', deviation, center))
  }

  uploaded(label: string, data: ArrayBufferView): GPUBuffer {
    const buffer = this.gpu.upload('activations', label, data)
    this.#buffers.push(buffer)
    return buffer
  }

  /** A weight whose elements have about a standard deviation of 1 / sqrt(inFeatures). */
  weight(format: WeightFormat, outFeatures: number, inFeatures: number): WeightBuffers {
    const count = outFeatures * inFeatures
    const deviation = 1 / Math.sqrt(inFeatures)
    if (format.type === 'f16') return { weight: this.halves('weight', count, deviation) }
    const bits = format.type === 'q4' ? 4 : 8
    const groups = count / format.groupSize
    const scale = deviation / ((2 ** bits - 1) / Math.sqrt(12))
    return {
      weight: this.filled('weight', (count * bits) / 8, { kind: 'bits' }),
      scales: this.filled('scales', groups * 2, { kind: 'f16', center: scale, range: scale / 4 }),
      biases: this.filled('biases', groups * 2, {
        kind: 'f16',
        center: (-scale * (2 ** bits - 1)) / 2,
        range: scale,
      }),
    }
  }

  /** Numbers of a buffer of f32, from element `first` on. */
  async readFloats(buffer: GPUBuffer, first: number, count: number): Promise<Float32Array> {
    return new Float32Array(await this.gpu.read(buffer, first * 4, count * 4))
  }

  /** Numbers of a buffer of f16, from element `first`, which is even, on. */
  async readHalves(buffer: GPUBuffer, first: number, count: number): Promise<Float32Array> {
    const words = Math.ceil(count / 2)
    return unpackHalves(new Uint32Array(await this.gpu.read(buffer, first * 2, words * 4)), count)
  }

  /** A row of a weight as numbers. */
  async readWeightRow(
    { weight, scales, biases }: WeightBuffers,
    format: WeightFormat,
    row: number,
    inFeatures: number,
  ): Promise<Float64Array> {
    if (format.type === 'f16') {
      return Float64Array.from(await this.readHalves(weight, row * inFeatures, inFeatures))
    }
    const bits = format.type === 'q4' ? 4 : 8
    const bytes = (inFeatures * bits) / 8
    const words = new Uint32Array(await this.gpu.read(weight, row * bytes, bytes))
    const groups = inFeatures / format.groupSize
    // Where a row has an odd number of groups, its f16 begin in the middle of a word.
    const odd = (row * groups) & 1
    const [scale, bias] = await Promise.all(
      [scales!, biases!].map(async (buffer) =>
        (await this.readHalves(buffer, row * groups - odd, groups + odd)).subarray(odd),
      ),
    )
    return Float64Array.from({ length: inFeatures }, (_, i) => {
      const bit = i * bits
      const q = (words[bit >> 5] >>> (bit & 31)) & (2 ** bits - 1)
      const group = Math.floor(i / format.groupSize)
      return scale[group] * q + bias[group]
    })
  }

  release(): void {
    for (const buffer of this.#buffers.splice(0)) this.gpu.free(buffer)
  }
}

/** The largest |actual - expected| relative to the largest |expected|; NaN counts as infinite. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]))
    const difference = Math.abs(actual[i] - expected[i])
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference)
  }
  return worst / largest
}

/** Up to `count` indices below `length`, spread over it, with the first and the last. */
export function samples(length: number, count: number): number[] {
  const last = Math.max(1, Math.min(length, count) - 1)
  const indices = Array.from({ length: last + 1 }, (_, i) => Math.round((i * (length - 1)) / last))
  return [...new Set(indices)]
}
