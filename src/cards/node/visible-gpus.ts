import type { Card } from '../card.js'
import { VISIBLE_GPUS, visibleCards } from './choose-cards.js'
import { listCards } from './system/list-cards.js'

/** The cards that may be chosen, by the numbers by which they are. */
export async function visibleGpus(): Promise<Card[]> {
  return visibleCards(await listCards(), process.env[VISIBLE_GPUS])
}
