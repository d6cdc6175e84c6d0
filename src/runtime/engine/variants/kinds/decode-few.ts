import { canRunLinearStepDots, STEP_DOTS_MAX_ROWS } from '../../../../kernels/index.js'
import { allProducts } from '../../../model/index.js'
import type { FusedStep } from '../../webgpu/fused-step.js'
import { unless, type VariantEntry, type VariantKind, type VariantSetting } from '../kind.js'
import { type BuildStep, DECODE, type StepEntry } from './decode.js'
import { DECODE_ATTENTION, fusedSteps } from './decode-attention.js'

export type DecodeFew = 'fused-int8' | 'float'

/** The most sequences of a step that is one of a few. */
export const FEW_SEQUENCES = STEP_DOTS_MAX_ROWS

/** The step of several sequences that is fused. */
export function fusedStep(step: FusedStep | undefined): FusedStep {
  if (!step) throw new TypeError('There are no buffers for fused steps of several sequences.')
  return step
}

/** Compiles the kernels of a fused step over so many rows, if there may be as many. */
export const compiled =
  (name: 'fusedFew' | 'fusedMany', rows: number): VariantEntry<BuildStep>['trial'] =>
  async (buffers) => {
    const { [name]: step, decode, logits } = buffers
    if (decode.maxRows < rows) return { rows, dispatches: [] }
    const attention = DECODE_ATTENTION.entries.simple.build
    const parts = [fusedStep(step).body(rows, attention), fusedStep(step).head(rows, logits)]
    return { rows, dispatches: (await Promise.all(parts)).flat() }
  }

/** What the products of steps of several sequences need of a model whose steps of one can be fused. */
export function dividing({ shape }: VariantSetting): string | undefined {
  const fits = allProducts(shape).every(({ slices: [{ format }], inFeatures, outFeatures }) => {
    return (
      'groupSize' in format && canRunLinearStepDots({ groupSize: format.groupSize, inFeatures, outFeatures })
    )
  })
  return unless(fits, 'groups in blocks of 32, and outputs in eights')
}

const fusedInt8: BuildStep = ({ fusedFew, fusedAttention, logits, activations: { maxRows } }) => {
  const step = fusedStep(fusedFew)
  return Promise.all([step.body(maxRows, fusedAttention), step.head(maxRows, logits)])
}

/**
 * Steps of 2 to 8 sequences: fused, with activations in 8 bits and every weight read once for all; or with floats.
 */
export const DECODE_FEW: VariantKind<DecodeFew, StepEntry> = {
  unit: 'ms a step',
  firstOnSoftware: 'float',
  unmeasured: 'several times faster than "float" wherever both were measured',
  entries: {
    'fused-int8': {
      needs: (setting) => fusedSteps(setting) ?? dividing(setting),
      build: fusedInt8,
      trial: compiled('fusedFew', 2),
      buckets: [2, 4, FEW_SEQUENCES],
    },
    float: DECODE.entries.float,
  },
}
