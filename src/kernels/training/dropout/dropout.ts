import type { BufferRange, Gpu } from '../../../gpu/index.js'
import dropoutSource from '../../common/dropout.wgsl?raw'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import randomSource from '../../sampling/sample/random.wgsl?raw'
import source from './dropout.wgsl?raw'

export interface DropoutConstants {
  /** Elements of a row, a multiple of 4. */
  readonly width: number
}

export interface DropoutBuffers {
  /** From `prefixDropoutWords`; a range begins at a multiple of 256 bytes. */
  readonly parameters: BufferRange
  /** f32 [rows, width] */
  readonly x: BufferRange
  /** f32 [rows, width] */
  readonly y: GPUBuffer
}

/** Compiles dropout of rows: y = m * x, where m is 0 or 1 / (1 - probability), by a hash of seed and element. */
export async function compileDropout(gpu: Gpu, { width }: DropoutConstants): Promise<Kernel<DropoutBuffers>> {
  if (!(Number.isSafeInteger(width / 4) && width > 0)) throw kernelArgument('dropout', `a width of ${width}`)
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('dropout', [randomSource, dropoutSource, source], {
    u32: { WIDTH: width, WORKGROUP_SIZE: workgroupSize, DROPOUT_BINDING: 2 },
  })
  const workgroups = Math.ceil(width / 4 / workgroupSize)
  return dispatchKernel(
    gpu,
    pipeline,
    ({ parameters, x, y }) => [x, y, parameters],
    (rows) => [workgroups, rows, 1],
  )
}
