import type { Gpu } from '../../../gpu/index.js'
import type { HeadShape } from '../../common/heads.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import source from './rope.wgsl?raw'

export interface RopeConstants extends HeadShape {
  /** Whether to turn back: from the gradient of what was turned to that of what it was before. */
  readonly back: boolean
}

export interface RopeBuffers {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** From `ropeTable`. */
  readonly table: GPUBuffer
  /** f32 [rows, (heads + 2 kvGroups) * headDim], changed in place. */
  readonly qkv: GPUBuffer
}

/**
 * cos and sin of every position: f32 [positions, headDim / 4, 2]. Angles are rounded to f32 as in the official
 * `RotaryEmbedding.forward_impl`; computed here because `sin` and `cos` of WGSL are too coarse for large angles.
 * @param base 10000 times the checkpoint's `rope_ratio`
 */
export function ropeTable(positions: number, headDim: number, base: number): Float32Array<ArrayBuffer> {
  const pairs = headDim / 4
  const table = new Float32Array(positions * pairs * 2)
  for (let i = 0; i < pairs; i++) {
    const theta = Math.fround(1 / Math.fround(base ** Math.fround((2 * i) / (2 * pairs))))
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * theta)
      table[(position * pairs + i) * 2] = Math.cos(angle)
      table[(position * pairs + i) * 2 + 1] = Math.sin(angle)
    }
  }
  return table
}

/** Compiles the rotation of the first half of each query and key head by its row's position. */
export async function compileRope(
  gpu: Gpu,
  { heads, kvGroups, headDim, back }: RopeConstants,
): Promise<Kernel<RopeBuffers>> {
  const pipeline = await gpu.compile('rope', [source], {
    u32: { HEADS: heads, KV_GROUPS: kvGroups, HEAD_DIM: headDim, WORKGROUP_SIZE: gpu.workgroupSize(128) },
    bool: { BACK: back },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, table, qkv }) => [rows, table, qkv],
    (count) => [count, 1, 1],
  )
}
