import type { Dispatch } from '../../../../gpu/index.js'
import { type Activations, buildBody, buildHead, type ForwardContext } from '../../webgpu/forward.js'
import type { BuildFusedAttention, FusedDecode } from '../../webgpu/fused-decode.js'
import type { FusedStep } from '../../webgpu/fused-step.js'
import type { BuildLinear } from '../../webgpu/linear.js'
import type { BuildLora } from '../../webgpu/lora.js'
import type { TrialBuffers, VariantEntry, VariantKind } from '../kind.js'
import { DECODE_ATTENTION, fusedSteps } from './decode-attention.js'
import { simpleAttention } from './prefill-attention.js'

/** What a step is built from: the buffers it works in, and what was chosen for its parts. */
export interface StepParts {
  readonly context: ForwardContext
  /** Room for as many rows as the step is built for. */
  readonly activations: Activations
  /** f32 [rows, vocabulary] */
  readonly logits: GPUBuffer
  readonly product: BuildLinear
  /** Where the step may be fused. */
  readonly fused: FusedDecode | undefined
  readonly fusedAttention: BuildFusedAttention
  /** Where steps of a few sequences, and of many, may be fused. */
  readonly fusedFew: FusedStep | undefined
  readonly fusedMany: FusedStep | undefined
  /** Where rows may have LoRA adapters. */
  readonly lora?: BuildLora | undefined
}

/** Gives the dispatches to the residual stream, and those from there to the logits. */
export type BuildStep = (parts: StepParts) => Promise<[Dispatch[], Dispatch[]]>
/** One way to compute steps. */
export interface StepEntry extends VariantEntry<BuildStep> {
  /**
   * The numbers of rows that steps of several sequences are built for; others take the next larger. Default: those of the
   * product that they are computed with.
   */
  readonly buckets?: readonly number[]
}

export type Decode = 'fused-int8' | 'float'

const float: BuildStep = ({ context, activations, logits, product, lora }) => {
  const kernels = { product, attention: simpleAttention(1), lora }
  const buffers = { ...activations, logits }
  return Promise.all([
    buildBody(context, activations, kernels),
    buildHead(context, activations.maxRows, buffers, product),
  ])
}

/** On a software adapter every invocation of a product computes its rows alone. */
const fusedInt8: BuildStep = ({ context: { gpu }, fused, fusedAttention, logits, lora }) => {
  if (!fused) throw new TypeError('There are no buffers for fused steps.')
  const options = { alone: gpu.software }
  return Promise.all([fused.body(fusedAttention, options, lora), fused.head(logits, options)])
}

/** A whole step, with the attention that every GPU has: whether another compiles is another choice. */
async function trial(buffers: TrialBuffers, build: BuildStep) {
  const { decode, stepProduct: product } = buffers
  const fusedAttention = DECODE_ATTENTION.entries.simple.build
  const activations = { ...decode, maxRows: 1 }
  const step = await build({ ...buffers, activations, product, fusedAttention })
  return { rows: 1, dispatches: step.flat() }
}

/** Steps of one sequence: in six dispatches a layer with activations in 8 bits, or in ten with floats. */
export const DECODE: VariantKind<Decode, StepEntry> = {
  unit: 'ms a step',
  firstOnSoftware: 'fused-int8',
  entries: {
    'fused-int8': { needs: fusedSteps, build: fusedInt8, trial: (buffers) => trial(buffers, fusedInt8) },
    float: { build: float, trial: (buffers) => trial(buffers, float) },
  },
}
