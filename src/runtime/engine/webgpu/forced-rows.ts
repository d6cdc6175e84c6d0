import type { SequenceStart, Slot, Step } from '../engine.js'

/** A row that is fed an id that is known, and behind which another must come: nothing is sampled from it. */
export interface ForcedRow {
  readonly slot: Slot
  readonly prefixLength: number
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

/** A slot whose ids are known. */
interface KnownSlot extends Slot {
  readonly start: SequenceStart
  readonly generated: readonly number[]
}

/** The rows of forced ids but for the last of each slot: that one is sampled from, as the row of any slot is. */
export function forcedRows(slots: readonly KnownSlot[], forced: Step['forced']): ForcedRow[] {
  return slots.flatMap((slot) => {
    const { start, generated } = slot
    const prefixLength = start.prefix?.length ?? 0
    const ids = forced?.get(slot) ?? []
    const fed = [generated[generated.length - 1], ...ids]
    const first = start.ids.length + generated.length - 1
    return ids.map((target, i) => ({ slot, prefixLength, id: fed[i], position: first + i, target }))
  })
}
