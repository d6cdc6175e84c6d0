import { formatDuration, formatNumber } from '../i18n/format.js'
import { readMarkdown } from '../markdown/read.js'
import { renderBlocks } from '../markdown/render.js'

/** Texts of one and of two bytes a character: an expression is compiled for each of them. */
const TEXTS = ['**a**', '**好**']

/** Not every browser tells when it is idle. */
const LATER_MS = 500

/**
 * Does once what would otherwise hold up the first frames of the first answer: expressions are compiled, and formats
 * load their data. It waits until the page has nothing else to do.
 */
export function warmUp(): void {
  const work = () => {
    for (const text of TEXTS) renderBlocks(readMarkdown(text), false)
    formatNumber(1)
    formatDuration(1)
  }
  if ('requestIdleCallback' in window) requestIdleCallback(work)
  else setTimeout(work, LATER_MS)
}
