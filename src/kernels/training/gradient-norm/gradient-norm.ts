import type { Gpu } from '../../../gpu/index.js'
import type { Kernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import clipSource from './clip-scale.wgsl?raw'
import source from './gradient-norm.wgsl?raw'

export interface GradientNormConstants {
  /** Elements of each gradient. */
  readonly counts: readonly number[]
}

export interface GradientNormBuffers {
  /** f32, as many elements as `counts` says of each. */
  readonly gradients: readonly GPUBuffer[]
  /** f32 [counts.length * GRADIENT_NORM_PARTS], scratch. */
  readonly parts: GPUBuffer
  /** f32 [1]: the greatest norm; 0 does not clip. */
  readonly settings: GPUBuffer
  /** Output, f32 [2]: the norm, and what the gradient is to be multiplied by; 0 where the norm is not finite. */
  readonly result: GPUBuffer
}

/** Workgroups that share a gradient. */
export const GRADIENT_NORM_PARTS = 256

/**
 * Compiles the norm of several gradients together, and the scale that limits it. The order of additions is always the
 * same.
 */
export async function compileGradientNorm(
  gpu: Gpu,
  { counts }: GradientNormConstants,
): Promise<Kernel<GradientNormBuffers>> {
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(256))
  const { enable, u32 } = reduction
  const squares = await Promise.all(
    counts.map((COUNT, index) =>
      gpu.compile('gradient-norm', [reduction.source, source], {
        enable,
        u32: { ...u32, COUNT, PARTS: GRADIENT_NORM_PARTS, FIRST_PART: index * GRADIENT_NORM_PARTS },
      }),
    ),
  )
  const clip = await gpu.compile('clip-scale', [reduction.source, clipSource], {
    enable,
    u32: { ...u32, COUNT: counts.length * GRADIENT_NORM_PARTS },
  })
  return {
    bind: (label, { gradients, parts, settings, result }) => [
      ...squares.map((pipeline, index) => ({
        label,
        pipeline,
        bindGroup: gpu.bind(pipeline, label, [gradients[index], parts]),
        workgroups: () => [GRADIENT_NORM_PARTS, 1, 1] as const,
      })),
      {
        label,
        pipeline: clip,
        bindGroup: gpu.bind(clip, label, [parts, settings, result]),
        workgroups: () => [1, 1, 1],
      },
    ],
  }
}
