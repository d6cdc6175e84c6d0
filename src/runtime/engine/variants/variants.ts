import { invalidOption } from '../../../errors/index.js'

/** Everything that can be computed by more than one kernel, and by which: the likeliest to be fast comes first. */
export const VARIANTS = {
  /**
   * Matrix products of prompts: on subgroup matrices of f16; on integer dot products, with activations rounded to 8
   * bits; or tiled, with tiles of f16 or f32.
   */
  prefillProduct: ['subgroup-matrix', 'int8', 'float16', 'float32'],
  /** Attention of prompts: on subgroup matrices, in f32 over heads that share tiles, or in f32 head by head. */
  prefillAttention: ['subgroup-matrix', 'tiled', 'simple'],
  /** Steps of one sequence: in six dispatches a layer with activations in 8 bits, or in ten with floats. */
  decode: ['fused-int8', 'float'],
  /** Attention of fused steps: over splits of the cache, on subgroup matrices or in f32; or in one piece. */
  decodeAttention: ['subgroup-matrix', 'simple', 'unsplit'],
} as const

export type VariantName = keyof typeof VARIANTS

/** The variants of one thing, or of all. */
export type VariantOf<Name extends VariantName = VariantName> = (typeof VARIANTS)[Name][number]

/** A variant of each. */
export type Variants = { readonly [Name in VariantName]: VariantOf<Name> }

/** What was chosen, and why. */
export interface VariantChoice<Name extends VariantName = VariantName> {
  readonly variant: VariantOf<Name>
  /** For people: why this one, with the times where variants were measured. */
  readonly reason: string
  /** What the others need that this GPU or this model does not have, by variant. */
  readonly impossible: Readonly<Record<string, string>>
}

export type VariantChoices = { readonly [Name in VariantName]: VariantChoice<Name> }

export const VARIANT_NAMES = Object.keys(VARIANTS) as VariantName[]

/**
 * Checks the variants that a caller asks for by name.
 * @throws `option.invalid` for a name or a variant that there is not
 */
export function checkVariants(forced: Partial<Variants>): void {
  const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ')
  for (const [name, variant] of Object.entries(forced)) {
    if (!(VARIANT_NAMES as string[]).includes(name)) {
      throw invalidOption('variants', name, `only ${quoted(VARIANT_NAMES)}`)
    }
    const known: readonly string[] = VARIANTS[name as VariantName]
    if (variant !== undefined && !known.includes(variant)) {
      throw invalidOption(`variants.${name}`, variant, `one of ${quoted(known)}`)
    }
  }
}
