import { invalidOption } from '../../../errors/index.js'
import { text, z } from '../../../schema/index.js'
import { VARIANT_TABLE, type Variants } from './table.js'

export type { Variants }

/** What can be computed in several ways. */
export type VariantName = keyof Variants

/** The variants of one thing, or of all. */
export type VariantOf<Name extends VariantName = VariantName> = Variants[Name]

export const VARIANT_NAMES = Object.keys(VARIANT_TABLE) as VariantName[]

/** Makes something for each thing that can be computed in several ways. */
export function byVariantName<T>(make: (name: VariantName) => T): Readonly<Record<VariantName, T>> {
  return Object.fromEntries(VARIANT_NAMES.map((name) => [name, make(name)])) as Record<VariantName, T>
}

/** The variants of everything that can be computed in several ways: the likeliest to be fast comes first. */
export const VARIANTS = byVariantName((name) => Object.keys(VARIANT_TABLE[name].entries)) as {
  readonly [Name in VariantName]: readonly VariantOf<Name>[]
}

/** What was chosen, and why. */
export interface VariantChoice<Name extends VariantName = VariantName> {
  readonly variant: VariantOf<Name>
  /** For people: why this one, with the times where variants were measured. */
  readonly reason: string
  /** What the others need that this GPU or this model does not have, by variant. */
  readonly impossible: Readonly<Record<string, string>>
}

export type VariantChoices = { readonly [Name in VariantName]: VariantChoice<Name> }

/** What a call takes as its variants; `checkVariants` knows their names. */
export const VARIANTS_SCHEMA = z.record(z.string(), z.optional(text), { error: 'variants by name' })

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
