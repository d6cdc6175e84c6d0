import type { Step } from '../engine.js'
import type { SlotState } from './slot.js'

/** A row that is fed an id that is known, and behind which another must come: nothing is sampled from it. */
export interface ForcedRow {
  readonly slot: SlotState
  /** The id that it is fed, and its position. */
  readonly id: number
  readonly position: number
  /** The id that must come behind it. */
  readonly target: number
}

/** How many rows a step has: those that are sampled from, and those of forced ids. */
export function stepRows({ rows, forced }: Pick<Step, 'rows' | 'forced'>): number {
  return rows.length + rows.reduce((sum, slot) => sum + (forced?.get(slot)?.length ?? 0), 0)
}

/** The rows of forced ids but for the last of each slot: that one is sampled from, as the row of any slot is. */
export function forcedRows(slots: readonly SlotState[], forced: Step['forced']): ForcedRow[] {
  return slots.flatMap((slot) => {
    const { start, generated } = slot
    const ids = forced?.get(slot) ?? []
    const fed = [generated[generated.length - 1], ...ids]
    const first = start.ids.length + generated.length - 1
    return ids.map((target, i) => ({ slot, id: fed[i], position: first + i, target }))
  })
}
