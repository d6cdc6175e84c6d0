import type { VariantEntry, VariantKind, VariantSetting } from './kind.js'
import { VARIANT_TABLE } from './table.js'
import { byVariantName, type VariantName, type VariantOf } from './variants.js'

/** A variant, and what is in its way on this GPU for this model, if anything. */
export interface Candidate<Name extends VariantName = VariantName> {
  readonly variant: VariantOf<Name>
  readonly obstacle?: string
}

/** Every variant of everything, the likeliest to be fast first. */
export type Candidates = { readonly [Name in VariantName]: readonly Candidate<Name>[] }

/** The variants of one thing: what comes first on software adapters compiles faster there by seconds. */
function candidatesOf(name: VariantName, setting: VariantSetting): Candidate[] {
  const { entries, firstOnSoftware }: VariantKind<string, VariantEntry<unknown>> = VARIANT_TABLE[name]
  const listed = Object.entries(entries).map(([variant, { needs }]): Candidate => {
    const missing = needs?.(setting)
    return { variant: variant as VariantOf, ...(missing !== undefined && { obstacle: `needs ${missing}` }) }
  })
  if (!setting.gpu.software) return listed
  const isFirst = ({ variant }: Candidate) => Number(variant === firstOnSoftware)
  return listed.sort((a, b) => isFirst(b) - isFirst(a))
}

/** Every variant for a model on a GPU, the likeliest to be fast first, and what is in its way. */
export function candidates(setting: VariantSetting): Candidates {
  return byVariantName((name) => candidatesOf(name, setting)) as Candidates
}
