import { SoakClient } from './client.js'
import type { SoakPlan, SoakResult } from './plan.js'

/** Numbers from 0 to 1 that look random, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** The most wrong answers that are told. */
const MOST_WRONG = 50

/** Runs clients side by side for a time; what they have begun they finish. */
export async function runClients(plan: SoakPlan): Promise<SoakResult> {
  const end = performance.now() + plan.milliseconds
  const done: Record<string, number> = {}
  const wrong: string[] = []
  const clients = Array.from(
    { length: plan.clients },
    (_, i) => new SoakClient(plan, randomNumbers(plan.seed + i * 7919)),
  )
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < end) {
        const outcome = await client.act()
        if (outcome.wrong === undefined) done[outcome.name] = (done[outcome.name] ?? 0) + 1
        else if (wrong.length < MOST_WRONG) wrong.push(outcome.wrong)
      }
    }),
  )
  const refused = clients.reduce((sum, client) => sum + client.refused, 0)
  return { done, refused, wrong }
}
