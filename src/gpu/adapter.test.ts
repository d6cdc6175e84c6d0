import { describe, expect, it, vi } from 'vitest'
import { requestAdapter } from './adapter.js'
import * as node from './node/node-gpu.js'

/** A GPU object whose only adapter is a real GPU, as on a platform without the software adapter. */
function realGpuOnly(): GPU {
  const info = { vendor: 'apple', architecture: 'metal-3', device: '', description: 'Apple M4' }
  return { requestAdapter: async () => ({ info }) } as unknown as GPU
}

describe('the software adapter', () => {
  it('is never replaced by a GPU: where there is none, that is said', async () => {
    const spy = vi.spyOn(node, 'nodeGpu').mockResolvedValue(realGpuOnly())
    try {
      await expect(requestAdapter('software')).rejects.toMatchObject({ code: 'adapter.none' })
      await expect(requestAdapter('software')).rejects.toThrow('There is no software adapter here')
    } finally {
      spy.mockRestore()
    }
  })

  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'is there on Linux x64, and leaves the choice of drivers as it was for others',
    async () => {
      const before = process.env.VK_DRIVER_FILES
      const { info } = await requestAdapter('software')
      expect(`${info.architecture} ${info.description}`).toMatch(/swiftshader/i)
      expect(process.env.VK_DRIVER_FILES).toBe(before)
      // Asked again, the same instance still finds it.
      expect((await requestAdapter('software')).info.architecture).toBe('swiftshader')
    },
  )
})
