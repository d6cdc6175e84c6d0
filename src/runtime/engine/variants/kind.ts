import type { Dispatch, Gpu } from '../../../gpu/index.js'
import type { QuantizedActivations } from '../../../kernels/index.js'
import type { ModelConfig, ModelShape } from '../../model/index.js'
import type { Activations, ForwardContext } from '../webgpu/forward.js'
import type { FusedDecode } from '../webgpu/fused-decode.js'
import type { FusedStep } from '../webgpu/fused-step.js'
import type { BuildLinear } from '../webgpu/linear.js'
import type { Halves } from '../webgpu/step-format.js'

/** The fused plan of prompts. */
export type FusedPrompt = FusedStep<Halves, object>

/** What variants are chosen for. */
export interface VariantSetting {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly shape: ModelShape
  /** Whether activations may be rounded to 8 bits on their way into a product. */
  readonly activations: 'int8' | 'float'
}

/** Work that shows how fast a variant is: dispatches over so many rows. */
export interface Trial {
  readonly dispatches: readonly Dispatch[]
  readonly rows: number
}

/** What trials work in. */
export interface TrialBuffers {
  readonly context: ForwardContext
  readonly prefill: Activations
  readonly decode: Activations
  /** f32 [vocabulary] */
  readonly logits: GPUBuffer
  /** Where products may round activations to 8 bits. */
  readonly quantized: QuantizedActivations | undefined
  /** Where steps of one sequence may be fused. */
  readonly fused: FusedDecode | undefined
  /** Where steps of a few sequences, and of many, may be fused. */
  readonly fusedFew: FusedStep | undefined
  readonly fusedMany: FusedStep | undefined
  /** Where prompts may be fused. */
  readonly fusedPrompt: FusedPrompt | undefined
  /** The products that are likely to be chosen, for many rows and for steps: whether others compile is another choice. */
  readonly many: BuildLinear
  readonly stepProduct: BuildLinear
}

/** One way to compute something. */
export interface VariantEntry<Build> {
  /** What it needs that this GPU or this model does not have; undefined where it can run. Default: it runs everywhere. */
  readonly needs?: (setting: VariantSetting) => string | undefined
  /** Compiles it and binds it to its buffers. */
  readonly build: Build
  /**
   * Compiles all that it needs in any layer, and gives the part of it that shows how fast it is. Default: it is compiled by what
   * uses it, and never measured.
   */
  readonly trial?: (buffers: TrialBuffers) => Promise<Trial>
}

/** Something that can be computed in several ways. */
export interface VariantKind<Name extends string, Entry extends VariantEntry<unknown>> {
  /** What the times of trials are of. */
  readonly unit: 'ms a layer' | 'ms a step'
  /** The variant that comes first on software adapters, where nothing is measured. */
  readonly firstOnSoftware: Name
  /** The one variant of another kind that it is a part of, and what is said to be chosen where that one cannot be. */
  readonly partOf?: {
    readonly kind: string
    readonly variant: string
    readonly otherwise: { readonly variant: Name; readonly reason: string }
  }
  /** Why the first that is possible is used without measuring. Default: all are measured. */
  readonly unmeasured?: string
  /** Who compiles it. Default: the engine, while a model loads. */
  readonly compiledBy?: 'training'
  /** Every way to compute it, the likeliest to be fast first. */
  readonly entries: Readonly<Record<Name, Entry>>
}

/** What is missing unless a condition holds. */
export function unless(condition: boolean, what: string): string | undefined {
  return condition ? undefined : what
}

/** Activations in 8 bits are an option of the model. */
export function rounding({ activations }: VariantSetting): string | undefined {
  return unless(activations === 'int8', 'activations: "int8"')
}
