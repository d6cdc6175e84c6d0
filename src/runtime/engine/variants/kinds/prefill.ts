import type { Dispatch } from '../../../../gpu/index.js'
import {
  canRunAttentionPrefillOnMatrices,
  canRunLinearHalves,
  compileAttentionPrefill,
  compileCacheAppend,
} from '../../../../kernels/index.js'
import { type Activations, buildBody, type ForwardContext, type PlanKernels } from '../../webgpu/forward.js'
import { canRunFusedDecode } from '../../webgpu/fused-decode.js'
import type { BuildStepAttention } from '../../webgpu/fused-step.js'
import type { Halves } from '../../webgpu/step-format.js'
import { type FusedPrompt, type TrialBuffers, unless, type VariantEntry, type VariantKind } from '../kind.js'
import { dividing } from './decode-few.js'
import { PREFILL_ATTENTION } from './prefill-attention.js'

export type Prefill = 'fused-subgroup-matrix' | 'unfused'

/** What a chunk of a prompt is built from: the buffers it works in, and what was chosen for its parts. */
export interface PromptParts extends PlanKernels {
  readonly context: ForwardContext
  readonly prefill: Activations
  readonly fusedPrompt: FusedPrompt | undefined
}

/** Gives the dispatches from token ids to the residual stream. */
type Build = (parts: PromptParts) => Promise<Dispatch[]>

/** On subgroup matrices, with a result that the next product reads. */
const attention: BuildStepAttention<Halves, object> = async (
  { gpu, config, cache },
  layer,
  { maxRows, rows, qkv, output: { halves } },
) => {
  const constants = { ...config, slotPages: cache.slotPages, maxRows }
  const [append, attend] = await Promise.all([
    compileCacheAppend(gpu, constants),
    compileAttentionPrefill(gpu, constants, { onMatrices: true, output: 'halves' }),
  ])
  const buffers = { ...cache.layer(layer), rows, qkv }
  return [...append.bind('cache append', buffers), ...attend.bind('attention', { ...buffers, y: halves })]
}

const fused: Build = ({ prefill, fusedPrompt, lora }) => {
  if (!fusedPrompt) throw new TypeError('There are no buffers for fused prompts.')
  return fusedPrompt.body(prefill.maxRows, attention, lora)
}

const unfused: Build = ({ context, prefill, ...kernels }) => buildBody(context, prefill, kernels)

async function trial(buffers: TrialBuffers, build: Build) {
  const parts = { ...buffers, product: buffers.many, attention: PREFILL_ATTENTION.entries.simple.build }
  return { rows: buffers.prefill.maxRows, dispatches: await build(parts) }
}

const needs: NonNullable<VariantEntry<Build>['needs']> = (setting) => {
  const { gpu, config, shape } = setting
  const fits =
    canRunFusedDecode(gpu, config, shape) &&
    canRunLinearHalves(gpu) &&
    canRunAttentionPrefillOnMatrices(gpu, config) &&
    config.ffn % 16 === 0
  const needed =
    'shader-f16, subgroups of 32, subgroup matrices of 16 x 16 x 16, 36 kB of workgroup memory, heads of 128 and 4-bit weights in one piece each'
  return unless(fits, needed) ?? dividing(setting)
}

/**
 * Chunks of prompts: fused, on subgroup matrices, with activations in f16 between the products; or in a kernel for every
 * operation, with activations in f32.
 */
export const PREFILL: VariantKind<Prefill, VariantEntry<Build>> = {
  unit: 'ms a step',
  firstOnSoftware: 'unfused',
  unmeasured: 'faster than "unfused" wherever both were measured',
  entries: {
    'fused-subgroup-matrix': { needs, build: fused, trial: (buffers) => trial(buffers, fused) },
    unfused: { build: unfused, trial: (buffers) => trial(buffers, unfused) },
  },
}
