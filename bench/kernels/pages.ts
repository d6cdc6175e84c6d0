import { PAGE_ROWS, tableWords } from '../common/internals.js'
import type { Workshop } from './workshop.js'

/** A cache of one slot whose pages lie in order, with room for so many rows. */
export function orderedPages(workshop: Workshop, rows: number) {
  const slotPages = Math.ceil(rows / PAGE_ROWS)
  const pages = Array.from({ length: slotPages }, (_, page) => page)
  return { slotPages, table: workshop.uploaded('cache table', tableWords(1, pages)) }
}
