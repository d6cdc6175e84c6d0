import { type BufferRange, flatWorkgroups, type Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import type { QuantizedFormat } from '../../common/weight.js'
import source from './quantize-activations.wgsl?raw'

/** Activations of 8 bits, which products with weights of the same format and width may share. */
export interface QuantizedActivations {
  /** [rows / 4, inFeatures / 4, 4] words of four. */
  readonly words: GPUBuffer
  /** vec2<f32> [inFeatures / groupSize, rows rounded to 4]: scale, and scale * sum. */
  readonly ranges: GPUBuffer
}

export interface QuantizeActivationsConstants {
  /** Of the weight that the activations are for. */
  readonly format: QuantizedFormat
  readonly inFeatures: number
  /** Rows that the buffers have room for. */
  readonly maxRows: number
}

export interface QuantizeActivationsBuffers extends QuantizedActivations {
  /** f32 [rows, inFeatures]. */
  readonly x: BufferRange
}

/** Bytes of the buffers for `rows` rows. */
export function quantizedActivationBytes(
  { groupSize }: QuantizedFormat,
  inFeatures: number,
  rows: number,
): { words: number; ranges: number } {
  const rounded = Math.ceil(rows / 4) * 4
  return { words: rounded * inFeatures, ranges: rounded * (inFeatures / groupSize) * 8 }
}

/** Compiles the rounding of activations to 8 bits, in the groups of the weight that they are for. */
export async function compileQuantizeActivations(
  gpu: Gpu,
  { format, inFeatures, maxRows }: QuantizeActivationsConstants,
): Promise<Kernel<QuantizeActivationsBuffers>> {
  const workgroupSize = gpu.workgroupSize(64)
  const pipeline = await gpu.compile('quantize-activations', [source], {
    u32: {
      IN: inFeatures,
      GROUP_SIZE: format.groupSize,
      MAX_ROWS: maxRows,
      WORKGROUP_SIZE: workgroupSize,
    },
    bool: { EVEN_ODD: format.type === 'q4' },
  })
  const groups = inFeatures / format.groupSize
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, words, ranges }) => [x, words, ranges],
    (rows) => flatWorkgroups(Math.ceil((Math.ceil(rows / 4) * groups) / workgroupSize)),
  )
}
