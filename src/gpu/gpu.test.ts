import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flatWorkgroups } from './dispatch.js'
import { Gpu } from './gpu.js'

describe('the GPU', () => {
  let gpu: Gpu
  beforeAll(async () => {
    gpu = await Gpu.create((await navigator.gpu.requestAdapter())!)
  })
  afterAll(() => gpu.dispose())

  it('refuses an adapter with too few bindings, before a device is made', async () => {
    const limits = { maxStorageBuffersPerShaderStage: 4 } as GPUSupportedLimits
    const adapter = { limits } as GPUAdapter
    await expect(Gpu.create(adapter)).rejects.toMatchObject({ code: 'adapter.limit' })
    await expect(Gpu.create(adapter)).rejects.toThrow('maxStorageBuffersPerShaderStage = 4, but 8 is needed')
  })

  it('refuses a buffer larger than a binding, and says what to change', () => {
    const limit = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize)
    expect(() => gpu.allocate('cache', 'keys', limit + 16)).toThrow(
      expect.objectContaining({ code: 'adapter.limit' }),
    )
    expect(() => gpu.allocate('cache', 'keys', limit + 16)).toThrow('smaller contextLength')
  })

  it('reports that the GPU is out of memory, with what was asked for', async () => {
    const { device } = gpu
    const pop = device.popErrorScope
    device.popErrorScope = async () => {
      await pop.call(device)
      return { message: 'out of memory' } as GPUError
    }
    try {
      const allocating = gpu.allocating('weights of layer 3', () => gpu.allocate('weights', 'w', 2e6))
      await expect(allocating).rejects.toMatchObject({ code: 'device.out-of-memory' })
    } finally {
      device.popErrorScope = pop
    }
    const fits = await gpu.allocating('weights', () => gpu.allocate('weights', 'w', 64))
    expect(gpu.owns(fits)).toBe(true)
  })

  it('keeps an account of its memory by purpose', () => {
    const before = gpu.memory.prefixes
    const buffer = gpu.allocate('prefixes', 'prefix', 1000)
    expect(gpu.memory.prefixes).toBe(before + 1008)
    gpu.free(buffer)
    expect(gpu.memory.prefixes).toBe(before)
    expect(gpu.owns(buffer)).toBe(false)
  })

  it('writes and reads bytes that are no whole words, with zeros behind them', async () => {
    const buffer = gpu.allocate('weights', 'odd', 16)
    gpu.write(buffer, 0, Uint8Array.from([1, 2, 3, 4, 5, 6]))
    expect([...new Uint8Array(await gpu.read(buffer, 0, 8))]).toEqual([1, 2, 3, 4, 5, 6, 0, 0])
  })

  it('goes on after a kernel that does not compile, and says which and why', async () => {
    const broken = '@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }'
    const compiling = gpu.compile('broken', [broken], {})
    await expect(compiling).rejects.toMatchObject({ code: 'adapter.shader-refused' })
    await expect(compiling).rejects.toThrow(/kernel broken: line \d+: cannot convert/)
    await gpu.finish()
    expect(() => gpu.check()).not.toThrow()
  })

  it('reports compilations, and the loss of the device while it compiles', async () => {
    const reports: number[][] = []
    const onCompile = (done: number, begun: number) => reports.push([done, begun])
    const other = await Gpu.create((await navigator.gpu.requestAdapter())!, { onCompile })
    const kernel = (value: number) =>
      other.compile('small', [`@compute @workgroup_size(1) fn main() { let x = ${value}; }`], {})
    await Promise.all([kernel(1), kernel(2), kernel(1)])
    expect(reports.at(0)).toEqual([0, 1])
    expect(reports.at(-1)).toEqual([2, 2])
    const compiling = kernel(3)
    other.dispose()
    await expect(compiling).rejects.toMatchObject({ code: 'device.lost' })
  })

  it('fails everything after it was disposed of', async () => {
    const other = await Gpu.create((await navigator.gpu.requestAdapter())!)
    other.dispose()
    expect(() => other.allocate('weights', 'w', 16)).toThrow(expect.objectContaining({ code: 'device.lost' }))
    await expect(other.finish()).rejects.toMatchObject({ code: 'device.lost' })
  })
})

describe('workgroup counts', () => {
  it('are laid out in lines where one dimension does not hold them', () => {
    expect(flatWorkgroups(65_535)).toEqual([65_535, 1, 1])
    for (const count of [65_536, 200_001]) {
      const [x, y] = flatWorkgroups(count)
      expect(x).toBeLessThanOrEqual(65_535)
      expect(x * y).toBeGreaterThanOrEqual(count)
      expect(x * (y - 1)).toBeLessThan(count)
    }
  })
})
