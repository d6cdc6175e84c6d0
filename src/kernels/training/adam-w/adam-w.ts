import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import source from './adam-w.wgsl?raw'

/** Settings of a step of AdamW. */
export interface AdamWSettings {
  readonly learningRate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Decoupled: the parameter shrinks by learningRate * weightDecay of itself. */
  readonly weightDecay: number
  /** Number of the step, from 1 on. */
  readonly step: number
}

export interface AdamWConstants {
  /** Elements of the parameter. */
  readonly count: number
}

export interface AdamWBuffers {
  /** From `adamWWords`. */
  readonly settings: GPUBuffer
  /** f32 [2]: norm of the gradient, and what it is multiplied by; with 0 nothing is learned from it. */
  readonly clip: GPUBuffer
  /** f32 [count], as are the others; changed in place. */
  readonly parameter: GPUBuffer
  readonly firstMoment: GPUBuffer
  readonly secondMoment: GPUBuffer
  /** Becomes zero. */
  readonly gradient: GPUBuffer
}

/** Words of the settings' buffer. */
export const ADAMW_WORDS = 8

/** Settings as the kernel takes them; what is one number for all elements is computed here in float64. */
export function adamWWords({
  learningRate,
  beta1,
  beta2,
  epsilon,
  weightDecay,
  step,
}: AdamWSettings): Float32Array<ArrayBuffer> {
  if (!Number.isSafeInteger(step) || step < 1) throw kernelArgument('adam-w', `step ${step}`)
  return new Float32Array([
    1 - learningRate * weightDecay,
    learningRate / (1 - beta1 ** step),
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    Math.sqrt(1 - beta2 ** step),
    epsilon,
  ])
}

const MAX_WORKGROUPS = 4096

/** Compiles a step of AdamW of a parameter; it clears the gradient. */
export async function compileAdamW(gpu: Gpu, { count }: AdamWConstants): Promise<Kernel<AdamWBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const workgroups = Math.min(MAX_WORKGROUPS, Math.ceil(count / workgroupSize))
  const pipeline = await gpu.compile('adam-w', [source], {
    u32: { COUNT: count, WORKGROUPS: workgroups, WORKGROUP_SIZE: workgroupSize },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ settings, clip, parameter, firstMoment, secondMoment, gradient }) => [
      settings,
      clip,
      parameter,
      firstMoment,
      secondMoment,
      gradient,
    ],
    () => [workgroups, 1, 1],
  )
}
