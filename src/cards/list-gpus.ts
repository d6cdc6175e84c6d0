import { isNode } from '../platform/index.js'
import type { Card } from './card.js'

/**
 * The GPUs of this machine, with memory, load and power where the system tells, in the order of their PCI addresses. With
 * `CHATGLM_VISIBLE_GPUS` those that it names, numbered in its order. None where the system tells of none, and in browsers.
 * @throws `option.invalid`, `adapter.card-unknown` where that variable makes no sense
 */
export async function listGpus(): Promise<Card[]> {
  if (!isNode) return []
  const { visibleGpus } = await import('./node/visible-gpus.js')
  return visibleGpus()
}
