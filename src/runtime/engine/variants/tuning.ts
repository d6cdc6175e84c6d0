import { encodeDispatches, type Gpu } from '../../../gpu/index.js'
import type { Trial } from './kind.js'

/** Each variant gets so many turns... */
const ROUNDS = 4
/** ...that take about this long, so that the time of a submission and the rise of the clocks weigh little... */
const TURN_MS = 12
/** ...or consist of this many runs. */
const MAX_RUNS = 64
/** After this long no further round begins. */
const BUDGET_MS = 250
/** What is this many times slower than the fastest has lost and gets no further turn. */
const LOST = 2

async function turn(gpu: Gpu, { dispatches, rows }: Trial, runs: number): Promise<number> {
  const encoder = gpu.device.createCommandEncoder({ label: 'tuning' })
  const pass = encoder.beginComputePass()
  for (let run = 0; run < runs; run++) encodeDispatches(pass, dispatches, rows)
  pass.end()
  const commands = encoder.finish()
  const started = performance.now()
  gpu.device.queue.submit([commands])
  await gpu.finish()
  // A coarse clock may show no time at all.
  return Math.max(performance.now() - started, 1e-3) / runs
}

/**
 * Milliseconds of each trial by the wall clock: the least of a few turns, in which all take part one after another, so
 * that rising clocks and other work on the GPU favour none.
 */
export async function timeTrials(gpu: Gpu, trials: readonly Trial[]): Promise<number[]> {
  await gpu.finish()
  const best = trials.map(() => Number.POSITIVE_INFINITY)
  const started = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0 && performance.now() - started > BUDGET_MS) break
    for (const [index, trial] of trials.entries()) {
      if (best[index] > LOST * Math.min(...best) && round > 1) continue
      const runs = round === 0 ? 1 : Math.ceil(TURN_MS / best[index])
      const ms = await turn(gpu, trial, Math.min(Math.max(runs, 1), MAX_RUNS))
      best[index] = Math.min(best[index], ms)
    }
  }
  return best
}
