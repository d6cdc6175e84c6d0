import { canRunLinearHalves } from '../../../../kernels/index.js'
import { canRunFusedDecode } from '../../webgpu/fused-decode.js'
import { unless, type VariantKind } from '../kind.js'
import { DECODE, type StepEntry } from './decode.js'
import { dividing, fusedStep } from './decode-few.js'

export type DecodeMany = 'fused-subgroup-matrix' | 'float'

const needs: NonNullable<StepEntry['needs']> = (setting) => {
  const { gpu, config, shape } = setting
  const fits = canRunFusedDecode(gpu, config, shape) && canRunLinearHalves(gpu) && config.ffn % 16 === 0
  const needed =
    'shader-f16, subgroups of 32, subgroup matrices of 16 x 16 x 16, 36 kB of workgroup memory, and what fused steps of one sequence need'
  return unless(fits, needed) ?? dividing(setting)
}

/**
 * Steps of 9 to 64 sequences: fused, on subgroup matrices with activations in f16 and every weight read once for all; or
 * with floats.
 */
export const DECODE_MANY: VariantKind<DecodeMany, StepEntry> = {
  unit: 'ms a step',
  firstOnSoftware: 'float',
  unmeasured: 'several times faster than "float" wherever both were measured',
  entries: {
    'fused-subgroup-matrix': fusedStep('fusedMany', needs, [16, 32, 64]),
    float: DECODE.entries.float,
  },
}
