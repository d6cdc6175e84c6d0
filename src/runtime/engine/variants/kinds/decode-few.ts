import { canRunLinearStepDots, STEP_DOTS_MAX_ROWS } from '../../../../kernels/index.js'
import { allProducts } from '../../../model/index.js'
import type { BuildFusedAttention } from '../../webgpu/fused-decode.js'
import type { FusedStep } from '../../webgpu/fused-step.js'
import type { BuildLora } from '../../webgpu/lora.js'
import { unless, type VariantKind, type VariantSetting } from '../kind.js'
import { DECODE, type StepEntry } from './decode.js'
import { DECODE_ATTENTION, fusedSteps } from './decode-attention.js'

export type DecodeFew = 'fused-int8' | 'float'

/** The most sequences of a step that is one of a few. */
export const FEW_SEQUENCES = STEP_DOTS_MAX_ROWS

/**
 * How steps of several sequences are fused.
 * @param name of the buffers
 * @param buckets rows that they are built for; where there may be as many, the kernels for the fewest are compiled beforehand
 */
export function fusedStep(
  name: 'fusedFew' | 'fusedMany',
  needs: NonNullable<StepEntry['needs']>,
  buckets: readonly number[],
): StepEntry {
  const plan = (
    step: FusedStep | undefined,
    rows: number,
    attention: BuildFusedAttention,
    logits: GPUBuffer,
    lora?: BuildLora,
  ) => {
    if (!step) throw new TypeError('There are no buffers for fused steps of several sequences.')
    return Promise.all([step.body(rows, attention, lora), step.head(rows, logits)])
  }
  return {
    needs,
    buckets,
    build: ({ activations: { maxRows }, fusedAttention, logits, lora, ...parts }) =>
      plan(parts[name], maxRows, fusedAttention, logits, lora),
    trial: async (buffers) => {
      const [rows] = buckets
      if (buffers.decode.maxRows < rows) return { rows, dispatches: [] }
      const step = await plan(buffers[name], rows, DECODE_ATTENTION.entries.simple.build, buffers.logits)
      return { rows, dispatches: step.flat() }
    },
  }
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

/**
 * Steps of 2 to 8 sequences: fused, with activations in 8 bits and every weight read once for all; or with floats.
 */
export const DECODE_FEW: VariantKind<DecodeFew, StepEntry> = {
  unit: 'ms a step',
  firstOnSoftware: 'float',
  unmeasured: 'several times faster than "float" wherever both were measured',
  entries: {
    'fused-int8': fusedStep('fusedFew', (setting) => fusedSteps(setting) ?? dividing(setting), [
      2,
      4,
      FEW_SEQUENCES,
    ]),
    float: DECODE.entries.float,
  },
}
