import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { type Dispatch, encodeDispatches } from '../../gpu/dispatch.js'
import { Gpu, type OptionalFeature, STORAGE_USAGE } from '../../gpu/gpu.js'
import { waitUnhurried } from '../../gpu/node/node-polling.js'

/** The feature sets every kernel is tested with; those the adapter lacks are reported as skipped. */
const VARIANTS: readonly {
  name: string
  without: readonly OptionalFeature[]
  needs: readonly GPUFeatureName[]
}[] = [
  { name: 'plain WebGPU', without: ['shader-f16', 'subgroups'], needs: [] },
  { name: 'subgroups', without: ['shader-f16'], needs: ['subgroups'] },
  { name: 'shader-f16', without: ['subgroups'], needs: ['shader-f16'] },
  { name: 'shader-f16 and subgroups', without: [], needs: ['shader-f16', 'subgroups'] },
]

const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' })
if (!adapter) throw new Error('The tests need a WebGPU adapter; test/setup.ts provides the software adapter.')

/** Word written behind the end of every buffer a kernel is given: a NaN as f32 and as f16. */
const SENTINEL = 0x7fff_ffff
const SENTINEL_WORDS = 64

/** A GPU for tests, with buffers that show unwritten elements and writes behind the end. */
export class TestGpu {
  readonly gpu: Gpu
  readonly #guarded: { buffer: GPUBuffer; label: string; byteLength: number }[] = []

  constructor(gpu: Gpu) {
    this.gpu = gpu
  }

  /** A buffer that holds `data`, with sentinels behind it. */
  input(data: Float32Array | Uint32Array | Int32Array, label = 'input'): GPUBuffer {
    const words = new Uint32Array(data.length + SENTINEL_WORDS).fill(SENTINEL)
    words.set(new Uint32Array(data.buffer, data.byteOffset, data.length))
    const buffer = this.gpu.device.createBuffer({ label, size: words.byteLength, usage: STORAGE_USAGE })
    this.gpu.device.queue.writeBuffer(buffer, 0, words)
    this.#guarded.push({ buffer, label, byteLength: data.byteLength })
    return buffer
  }

  /** A buffer of `words` 32-bit words full of NaN, with sentinels behind it. */
  output(words: number, label = 'output'): GPUBuffer {
    return this.input(new Uint32Array(words).fill(SENTINEL), label)
  }

  /** Runs dispatches in one pass, in order. */
  run(dispatches: readonly Dispatch[], rows = 1): void {
    const encoder = this.gpu.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, dispatches, rows)
    pass.end()
    this.gpu.device.queue.submit([encoder.finish()])
  }

  /** Reads a buffer made by `input` or `output`. @throws when a kernel wrote behind its end */
  async words(buffer: GPUBuffer): Promise<Uint32Array<ArrayBuffer>> {
    const guard = this.#guarded.find((entry) => entry.buffer === buffer)
    if (!guard) throw new Error('not a buffer of this harness')
    const words = new Uint32Array(await this.gpu.read(buffer))
    const end = guard.byteLength / 4
    if (words.subarray(end).some((word) => word !== SENTINEL)) {
      throw new Error(`a kernel wrote behind the end of "${guard.label}"`)
    }
    return words.slice(0, end)
  }

  async floats(buffer: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array((await this.words(buffer)).buffer)
  }

  release(): void {
    for (const { buffer } of this.#guarded.splice(0)) buffer.destroy()
  }
}

/**
 * Declares the same tests once for each feature set the adapter can offer.
 * `test.gpu` may be used inside tests only: the device exists from `beforeAll` on.
 */
export function describeOnGpu(name: string, tests: (harness: () => TestGpu) => void): void {
  for (const variant of VARIANTS) {
    const missing = variant.needs.filter((feature) => !adapter?.features.has(feature))
    const title = missing.length ? `needs ${missing.join(' and ')}, which this adapter lacks` : variant.name
    describe.skipIf(missing.length > 0)(`${name} (${title})`, () => {
      let harness: TestGpu
      beforeAll(async () => {
        const fresh = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' })
        harness = new TestGpu(await Gpu.create(fresh!, { without: variant.without, onWait: waitUnhurried }))
      })
      afterAll(() => {
        harness?.release()
        harness?.gpu.dispose()
      })
      tests(() => harness)
    })
  }
}

/**
 * Skips the tests of a kernel that uses no subgroups on a software adapter's device that has them: they would compile
 * for seconds what was tested without.
 */
export function skipRepeatedOnSoftware(harness: () => TestGpu): void {
  beforeEach(({ skip }) => {
    const { gpu } = harness()
    if (gpu.software && gpu.subgroups) skip('the same kernels as plain WebGPU')
  })
}
