/** What the fused plans put into one kernel, or a few: neighbours of the network's list. */
import { LAYER, type LayerOperation, type LinearOperation, type NormOperation } from '../../model/index.js'

/** A product with the norm of its input, and with what becomes of its output: `rope` or `swiglu`. */
export interface FusedProduct {
  readonly norm?: NormOperation | undefined
  readonly linear: LinearOperation
  readonly after?: LayerOperation
}

/** Operations of a layer that are computed together. */
export type FusedGroup = FusedProduct | 'append and attention'

/** Puts the operations of a layer into groups that are computed together. */
function fuse(operations: readonly LayerOperation[]): FusedGroup[] {
  const groups: FusedGroup[] = []
  let norm: NormOperation | undefined
  for (const operation of operations) {
    const last = groups.at(-1)
    if (operation.kind === 'norm') norm = operation
    if (operation.kind === 'linear') {
      groups.push({ norm, linear: operation })
      norm = undefined
    }
    if (operation.kind === 'attention') groups.push('append and attention')
    if ((operation.kind === 'rope' || operation.kind === 'swiglu') && typeof last === 'object') {
      groups[groups.length - 1] = { ...last, after: operation }
    }
  }
  return groups
}

/** The operations of a layer, in the groups of the fused plans. */
export const FUSED_GROUPS: readonly FusedGroup[] = fuse(LAYER)
