import { AdapterError, DeviceError } from '../errors/index.js'
import { checkArgument, opaque } from '../schema/index.js'
import { adapterLimit, deviceLost, outOfMemory, shaderRefused } from './errors.js'
import { type Specialization, specialize } from './wgsl.js'

/** Optional adapter features that some kernel variants use. */
export type OptionalFeature = 'shader-f16' | 'subgroups' | 'chromium-experimental-subgroup-matrix'

/** A matrix product that a subgroup can compute at once: result [M, N] = left [M, K] * right [K, N]. */
export interface SubgroupMatrixConfig {
  readonly componentType: string
  readonly resultComponentType: string
  readonly M: number
  readonly N: number
  readonly K: number
}

export interface GpuOptions {
  /** Features to leave unused although the adapter has them, so that every variant can be forced and tested. */
  readonly without?: readonly OptionalFeature[]
  /** Called whenever the compilation of a kernel begins or ends, with how many have ended, and have begun. */
  readonly onCompile?: (done: number, begun: number) => void
  /** Called when the program begins to wait for results of the GPU; what it returns is called when that ends. */
  readonly onWait?: () => () => void
}

/** What a kernel is bound to: a whole buffer, or a range that begins at a multiple of 256 bytes. */
export type BufferRange = GPUBuffer | GPUBufferBinding

/** What a buffer is for; `Gpu.memory` is kept by this. */
export type MemoryKind = 'weights' | 'cache' | 'prefixes' | 'activations'

const { COPY_DST, COPY_SRC, STORAGE } = {
  COPY_DST: 0x8,
  COPY_SRC: 0x4,
  STORAGE: 0x80,
} satisfies Record<string, GPUBufferUsageFlags>

/** Everything storage kernels bind: readable, writable, and copyable both ways. */
export const STORAGE_USAGE = STORAGE | COPY_DST | COPY_SRC

/** Not in the standard yet, nor in its types. */
const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix'

/** What an adapter says of itself: texts, where it says them. */
export const ADAPTER_INFO = opaque<Partial<GPUAdapterInfo>>((value) => {
  if (typeof value !== 'object' || value === null) return false
  const { vendor = '', architecture = '', device = '', description = '' } = value as Partial<GPUAdapterInfo>
  return [vendor, architecture, device, description].every((part) => typeof part === 'string')
}, 'the info of an adapter')

/** Whether an adapter runs shaders on the CPU. */
export function isSoftwareAdapter(info: {
  readonly isFallbackAdapter?: boolean
  readonly architecture: string
  readonly description: string
}): boolean {
  checkArgument('info', ADAPTER_INFO, info)
  const { isFallbackAdapter, architecture, description } = info
  return isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(`${architecture} ${description}`)
}

/** How long to wait for the reason when GPU work fails. */
const LOSS_REPORT_MS = 100

/**
 * A GPU device with what kernels need around it: feature flags, compiled pipelines shared by source text,
 * buffers with an account of the memory they take, and errors as classes.
 */
export class Gpu {
  readonly device: GPUDevice
  readonly info: GPUAdapterInfo
  /** Whether kernels may use 16-bit float arithmetic. */
  readonly f16: boolean
  /** Whether kernels may use subgroup operations. */
  readonly subgroups: boolean
  /** The matrix products that subgroups can compute; empty where there is no such feature (Dawn, experimental). */
  readonly subgroupMatrices: readonly SubgroupMatrixConfig[]
  /** Whether the adapter runs shaders on the CPU. */
  readonly software: boolean
  /** Bytes now allocated, by purpose. */
  readonly memory: Record<MemoryKind, number> = { weights: 0, cache: 0, prefixes: 0, activations: 0 }
  /** Bound where a kernel has a binding that this use of it does not need. */
  readonly empty: GPUBuffer

  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>()
  readonly #kinds = new Map<GPUBuffer, MemoryKind>()
  readonly #options: Pick<GpuOptions, 'onCompile' | 'onWait'>
  #compiled = 0
  #failure: Error | undefined
  readonly #lost: Promise<void>
  /** What ends the waits under way when the device is lost: a promise shared by all waits would keep them all. */
  readonly #waits = new Set<() => void>()

  private constructor(
    device: GPUDevice,
    info: GPUAdapterInfo,
    options: Pick<GpuOptions, 'onCompile' | 'onWait'>,
  ) {
    this.#options = options
    this.device = device
    this.info = info
    this.f16 = device.features.has('shader-f16')
    this.subgroups = device.features.has('subgroups')
    const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> }
    this.subgroupMatrices = (device.features as ReadonlySet<string>).has(SUBGROUP_MATRIX)
      ? Array.from(subgroupMatrixConfigs)
      : []
    this.software = isSoftwareAdapter(info)
    this.empty = device.createBuffer({ label: 'empty', size: 256, usage: STORAGE_USAGE })
    // Node keeps a device, and what listens to it, for as long as the process runs: nothing there may lead to this
    // object, which everything of a model hangs on.
    const self = new WeakRef(this)
    this.#lost = device.lost.then(({ message, reason }) => {
      const gpu = self.deref()
      if (!gpu) return
      gpu.#failure ??= deviceLost(message || reason)
      for (const end of gpu.#waits) end()
    })
    device.addEventListener('uncapturederror', ({ error }) => {
      const gpu = self.deref()
      if (gpu) gpu.#failure ??= new DeviceError('device.failed', `WebGPU error: ${error.message}`)
    })
  }

  /**
   * Requests a device with every limit the adapter offers and the features that kernels can use.
   * @throws `adapter.limit` where the adapter has fewer than 8 storage buffers a stage, `adapter.none` where it gives no device
   */
  static async create(adapter: GPUAdapter, options: GpuOptions = {}): Promise<Gpu> {
    const storageBuffers = adapter.limits.maxStorageBuffersPerShaderStage
    if (storageBuffers < 8) {
      throw adapterLimit(
        'maxStorageBuffersPerShaderStage',
        storageBuffers,
        8,
        'Use another adapter or update the driver.',
      )
    }
    const wanted = [
      'shader-f16',
      'subgroups',
      SUBGROUP_MATRIX,
      'timestamp-query',
    ] as readonly GPUFeatureName[]
    const without: readonly string[] = options.without ?? []
    const requiredFeatures = wanted.filter((name) => adapter.features.has(name) && !without.includes(name))
    const requiredLimits: Record<string, number> = {}
    for (const name of [
      'maxBufferSize',
      'maxStorageBufferBindingSize',
      'maxStorageBuffersPerShaderStage',
      'maxComputeWorkgroupStorageSize',
      'maxComputeInvocationsPerWorkgroup',
      'maxComputeWorkgroupSizeX',
      'maxComputeWorkgroupSizeY',
    ] as const) {
      requiredLimits[name] = adapter.limits[name]
    }
    try {
      const device = await adapter.requestDevice({ requiredFeatures, requiredLimits })
      return new Gpu(device, adapter.info, options)
    } catch (error) {
      throw new AdapterError(
        'adapter.none',
        `The adapter gives no device: ${(error as Error)?.message}. An adapter gives one device; ask for it anew.`,
        { cause: error },
      )
    }
  }

  get limits(): GPUSupportedLimits {
    return this.device.limits
  }

  /**
   * The workgroup size to use where `preferred` is good on a GPU. Software adapters compile a copy of the
   * kernel for every few lanes, so that a large workgroup costs them seconds and gains nothing.
   */
  workgroupSize(preferred: number): number {
    return this.software ? Math.min(preferred, 32) : preferred
  }

  /** @throws the error that ended this device, if there was one. */
  check(): void {
    if (this.#failure) throw this.#failure
  }

  /** Waits for GPU work, but fails as soon as the device is lost, which some implementations leave hanging. */
  async race<T>(work: Promise<T>): Promise<T> {
    let end = () => {}
    const lost = new Promise<never>((_, reject) => {
      end = () => reject(this.#failure)
    })
    this.#waits.add(end)
    if (this.#failure) end()
    try {
      const result = await Promise.race([work, lost])
      this.check()
      return result
    } catch (error) {
      // Some implementations fail the work first and report the loss of the device, its cause, a little later.
      await Promise.race([this.#lost, new Promise((resolve) => setTimeout(resolve, LOSS_REPORT_MS))])
      throw this.#failure ?? error
    } finally {
      this.#waits.delete(end)
    }
  }

  /** Waits for results of the GPU, with nothing else to do meanwhile; fails as `race` does. */
  async wait<T>(work: Promise<T>): Promise<T> {
    const end = this.#options.onWait?.()
    try {
      return await this.race(work)
    } finally {
      end?.()
    }
  }

  /** Waits until everything submitted so far is done. */
  async finish(): Promise<void> {
    await this.wait(this.device.queue.onSubmittedWorkDone())
  }

  /**
   * Compiles a kernel for the given constants; the same text is compiled once.
   * @throws `adapter.shader-refused` with the driver's messages
   */
  compile(
    label: string,
    modules: readonly string[],
    specialization: Specialization,
  ): Promise<GPUComputePipeline> {
    const code = specialize(modules, specialization)
    let pipeline = this.#pipelines.get(code)
    if (!pipeline) {
      pipeline = this.#compile(label, code).finally(() =>
        this.#options.onCompile?.(++this.#compiled, this.#pipelines.size),
      )
      this.#pipelines.set(code, pipeline)
      this.#options.onCompile?.(this.#compiled, this.#pipelines.size)
    }
    return pipeline
  }

  async #compile(label: string, code: string): Promise<GPUComputePipeline> {
    const { device } = this
    // A refused kernel is this call's failure, not the device's: there may be another kernel for the same.
    device.pushErrorScope('validation')
    const module = device.createShaderModule({ label, code })
    const problem = device.popErrorScope().catch(() => null)
    try {
      return await this.race(
        device.createComputePipelineAsync({ label, layout: 'auto', compute: { module } }),
      )
    } catch (error) {
      this.check()
      const { messages } = await module.getCompilationInfo()
      const problems = messages.map(({ lineNum, message }) => `line ${lineNum}: ${message}`)
      throw shaderRefused(label, problems.join('; ') || (await problem)?.message || String(error))
    }
  }

  /** Binds buffers, or ranges of them, to bindings 0, 1, 2, ... of group 0; undefined leaves a binding out. */
  bind(
    pipeline: GPUComputePipeline,
    label: string,
    buffers: readonly (BufferRange | undefined)[],
  ): GPUBindGroup {
    return this.device.createBindGroup({
      label,
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.flatMap((buffer, binding) =>
        buffer ? [{ binding, resource: 'buffer' in buffer ? buffer : { buffer } }] : [],
      ),
    })
  }

  /**
   * Allocates a storage buffer, rounded up to whole 16 bytes.
   * @param byteLength size in bytes
   * @throws `adapter.limit` when one binding cannot hold it
   */
  allocate(kind: MemoryKind, label: string, byteLength: number, usage = STORAGE_USAGE): GPUBuffer {
    this.check()
    const size = Math.max(16, Math.ceil(byteLength / 16) * 16)
    const limit = Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize)
    if (size > limit) {
      throw adapterLimit(
        'maxStorageBufferBindingSize',
        limit,
        size,
        `"${label}" does not fit: use a smaller contextLength or cacheTokens.`,
      )
    }
    const buffer = this.device.createBuffer({ label, size, usage })
    this.memory[kind] += size
    this.#kinds.set(buffer, kind)
    return buffer
  }

  /** Runs allocations, and turns the GPU's out-of-memory report into an error. */
  async allocating<T>(label: string, allocate: () => T): Promise<T> {
    const before = this.total
    this.device.pushErrorScope('out-of-memory')
    let result: T
    try {
      result = allocate()
    } finally {
      const failed = this.race(this.device.popErrorScope())
      if (await failed) {
        // biome-ignore lint/correctness/noUnsafeFinally: out of memory is the cause, whatever followed from it
        throw outOfMemory(label, this.total - before)
      }
    }
    return result
  }

  /** All bytes now allocated. */
  get total(): number {
    return Object.values(this.memory).reduce((sum, bytes) => sum + bytes, 0)
  }

  /** Allocates a storage buffer and fills it. */
  upload(kind: MemoryKind, label: string, data: ArrayBufferView): GPUBuffer {
    const buffer = this.allocate(kind, label, data.byteLength)
    this.write(buffer, 0, data)
    return buffer
  }

  /** Writes into a buffer; bytes beyond a multiple of 4 are followed by zeros up to the next. */
  write(buffer: GPUBuffer, byteOffset: number, data: ArrayBufferView): void {
    this.check()
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    const whole = bytes.byteLength & ~3
    if (whole > 0) this.device.queue.writeBuffer(buffer, byteOffset, bytes, 0, whole)
    if (whole < bytes.byteLength) {
      const rest = new Uint8Array(4)
      rest.set(bytes.subarray(whole))
      this.device.queue.writeBuffer(buffer, byteOffset + whole, rest)
    }
  }

  /** Whether a buffer was allocated here and not freed since. */
  owns(buffer: GPUBuffer): boolean {
    return this.#kinds.has(buffer)
  }

  /** Gives a buffer's memory back. */
  free(buffer: GPUBuffer): void {
    const kind = this.#kinds.get(buffer)
    if (kind === undefined) return
    this.#kinds.delete(buffer)
    this.memory[kind] -= buffer.size
    buffer.destroy()
  }

  /** Copies bytes of a buffer to the host. */
  async read(buffer: GPUBuffer, byteOffset = 0, byteLength = buffer.size - byteOffset): Promise<ArrayBuffer> {
    this.check()
    const MAP_READ = 0x1
    const staging = this.device.createBuffer({ label: 'read', size: byteLength, usage: MAP_READ | COPY_DST })
    try {
      const encoder = this.device.createCommandEncoder()
      encoder.copyBufferToBuffer(buffer, byteOffset, staging, 0, byteLength)
      this.device.queue.submit([encoder.finish()])
      await this.wait(staging.mapAsync(0x1))
      return staging.getMappedRange().slice(0)
    } finally {
      staging.destroy()
    }
  }

  /** Ends the device and gives all its memory back. */
  dispose(): void {
    this.#failure ??= deviceLost('disposed')
    for (const buffer of this.#kinds.keys()) buffer.destroy()
    this.#kinds.clear()
    this.device.destroy()
  }
}
