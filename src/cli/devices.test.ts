import { describe, expect, it } from 'vitest'
import { run } from './program.js'
import { adapterOf, command, previewOf, StubModel, stubLibrary, testIo } from './testing.js'

describe('devices', () => {
  const adapters = (best: GPUAdapter, software?: GPUAdapter) =>
    stubLibrary(new StubModel(), {
      requestAdapter: async (choice) => {
        if (choice === 'auto') return best
        if (software) return software
        throw new Error('none')
      },
    })
  const gpu = adapterOf('NVIDIA H200', 'hopper', ['shader-f16', 'subgroups'])
  const software = adapterOf('SwiftShader', 'swiftshader')

  it('lists the GPU and the software adapter, and which is used', async () => {
    const { out } = await command(['devices'], adapters(gpu, software))
    expect(out).toMatch(/NVIDIA H200 {2}used by default/)
    expect(out).toContain('SwiftShader\n')
    expect(out).toContain('yes, of 4 to 32 lanes')
    expect(out).toContain('The GPU is used by default because it is the fastest')
  })

  it('says so where there is only the software adapter', async () => {
    const { out } = await command(['devices'], adapters(software, software))
    expect(out).toContain('No GPU driver answered, so only the software adapter is there')
    expect(out.match(/SwiftShader/g)).toHaveLength(1)
  })

  it('shows which kernels are used and why, and where measured times are', async () => {
    const { out } = await command(['devices'], adapters(gpu, software))
    expect(out).toContain("  kernels            for a model; '--variant name=value' chooses others\n")
    expect(out).toContain('  prefill-product    float32          nothing else is possible\n')
    expect(out).toContain(`${' '.repeat(38)}fast needs a GPU\n`)
    expect(out).toContain('  decode             fused-int8       fastest of 2: 2.1 ms a step; float 8.4\n')
    // Of the GPU only: nothing is measured on a software adapter.
    expect(out.match(/measured times {5}in \/cache\/tuning.json/g)).toHaveLength(1)
  })

  it('keeps to the columns of a terminal', async () => {
    const io = testIo({ terminal: true })
    const model = 'chatglm3-6b with 4-bit weights'
    const library = stubLibrary(new StubModel(), {
      requestAdapter: async () => software,
      previewVariants: async () => ({ ...previewOf(), model }),
    })
    expect(await run(['devices'], io, library)).toBe(0)
    expect(io.stdout.text).toMatch(/ {21}chooses others\n/)
    expect(io.stdout.text.split('\n').filter((line) => line.length > io.stdout.columns)).toEqual([])
  })

  it('lists an adapter that gives no device', async () => {
    const library = stubLibrary(new StubModel(), {
      requestAdapter: async () => gpu,
      previewVariants: async () => {
        throw new Error('no device')
      },
    })
    const { code, out } = await command(['devices'], library)
    expect(code).toBe(0)
    expect(out).toContain('NVIDIA H200')
    expect(out).not.toContain('prefill-product')
  })

  it('gives JSON', async () => {
    const printed = JSON.parse((await command(['devices', '--json'], adapters(gpu))).out)
    const [best, ...others] = printed.adapters
    expect(printed.gpus).toEqual([])
    expect(others).toEqual([])
    expect(best).toMatchObject({
      name: 'NVIDIA H200',
      software: false,
      default: true,
      features: { 'shader-f16': true, subgroups: true },
      limits: { maxStorageBuffersPerShaderStage: 12 },
    })
  })
})
