import { flatWorkgroups, type Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type LinearBuffers,
  type LinearConstants,
  linearBindings,
  linearSpecialization,
} from '../../common/linear.js'
import { workgroupReduction } from '../../common/reduce.js'
import { weightReader } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import source from './matvec.wgsl?raw'

/** Outputs that one workgroup computes; fixed in the WGSL by the width of a vec4. */
const OUTPUTS_PER_WORKGROUP = 4

/** More rows than this need more registers than they save memory reads: use `compileMatmul`. */
export const MATVEC_MAX_ROWS = 8

/**
 * Compiles the matrix product y (+)= x * w^T (+ bias) for a fixed, small number of rows: all `maxRows`, 1 to 8.
 * @throws `option.kernel-argument` for more rows, or columns that do not divide into groups
 */
export async function compileMatvec(gpu: Gpu, constants: LinearConstants): Promise<Kernel<LinearBuffers>> {
  const { maxRows: rows } = constants
  if (rows < 1 || rows > MATVEC_MAX_ROWS) throw kernelArgument('matvec', `${rows} rows, not 1 to 8`)
  const reader = weightReader('matvec', constants.format, constants.inFeatures)
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(64))
  const { u32, bool } = linearSpecialization(constants)
  const pipeline = await gpu.compile('matvec', [reader.source, reduction.source, source], {
    enable: reduction.enable,
    u32: { ...reader.u32, ...reduction.u32, ...u32, ROWS: rows },
    bool,
  })
  const workgroups = flatWorkgroups(Math.ceil(constants.outFeatures / OUTPUTS_PER_WORKGROUP))
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => linearBindings(gpu, buffers),
    () => workgroups,
  )
}
