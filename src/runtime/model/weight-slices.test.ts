import { describe, expect, it } from 'vitest'
import type { Gpu } from '../../gpu/index.js'
import { weightSlices } from './weight-slices.js'

/** An adapter that binds so many bytes. */
function binding(bytes: number): Gpu {
  return { limits: { maxBufferSize: 2 * bytes, maxStorageBufferBindingSize: bytes } } as unknown as Gpu
}

describe('the slices of a matrix', () => {
  it('are one where it fits, and otherwise as few as can be, each from a multiple of 64 rows on', () => {
    const gpu = binding(2 ** 15)
    const q4 = { type: 'q4', groupSize: 32 } as const
    expect(weightSlices(gpu, { type: 'f16' }, [256, 64])).toEqual([{ firstRow: 0, rows: 256 }])
    expect(weightSlices(gpu, { type: 'f16' }, [1000, 60])).toEqual([
      { firstRow: 0, rows: 256 },
      { firstRow: 256, rows: 256 },
      { firstRow: 512, rows: 256 },
      { firstRow: 768, rows: 232 },
    ])
    expect(weightSlices(gpu, q4, [1000, 64])).toEqual([{ firstRow: 0, rows: 1000 }])
    expect(weightSlices(gpu, { type: 'f16' }, [4096])).toEqual([{ firstRow: 0, rows: 4096 }])
  })

  it('have 64 rows at least, also where the adapter will refuse these', () => {
    expect(weightSlices(binding(1024), { type: 'f16' }, [130, 64])).toHaveLength(3)
  })
})
