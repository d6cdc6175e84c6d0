import { GpuClock } from '../common/gpu-clock.js'
import type { Dispatch, Gpu, WebGpuEngine } from '../common/internals.js'
import type { Conversation } from './conversation.js'

/** One dispatch on the GPU's clock. */
export interface TimedDispatch {
  readonly label: string
  readonly layer: number | undefined
  readonly workgroups: readonly number[]
  /** Seconds since the first dispatch of the profile. */
  readonly start: number
  readonly seconds: number
}

/** A decode step, a chunk of a prompt, or a training step over a sequence. */
export interface TimedRun {
  readonly phase: 'decode' | 'prefill' | 'training'
  readonly context: number
  readonly rows: number
  readonly dispatches: readonly TimedDispatch[]
}

/** The time of all dispatches of one label in a run; the median over runs. */
export interface LabelTime {
  readonly phase: TimedRun['phase']
  readonly context: number
  readonly rows: number
  readonly label: string
  /** Dispatches in a run. */
  readonly calls: number
  /** Of all of them. */
  readonly seconds: number
}

const RUNS = 7
/** Passes between two readings of the clock. */
export const CLOCK_CAPACITY = 1024

/** `layers.3.mlp.dense_4h_to_h` becomes `mlp.dense_4h_to_h` of layer 3. */
function splitLabel(label: string): { label: string; layer: number | undefined } {
  const match = /^layers\.(\d+)\.(.*)$/.exec(label)
  return match ? { label: match[2], layer: Number(match[1]) } : { label, layer: undefined }
}

/** Runs dispatches in order, each in a timed pass of its own. */
export async function timeDispatches(
  { gpu }: { readonly gpu: Gpu },
  clock: GpuClock,
  dispatches: readonly Dispatch[],
  rows: number,
): Promise<TimedDispatch[]> {
  const timed: TimedDispatch[] = []
  for (let first = 0; first < dispatches.length; first += clock.capacity) {
    const some = dispatches.slice(first, first + clock.capacity)
    const encoder = gpu.device.createCommandEncoder()
    some.forEach((dispatch, index) => {
      const pass = clock.beginPass(encoder, index)
      pass.setPipeline(dispatch.pipeline)
      pass.setBindGroup(0, dispatch.bindGroup)
      pass.dispatchWorkgroups(...dispatch.workgroups(rows))
      pass.end()
    })
    const spans = await clock.submit(encoder, some.length)
    spans.forEach(({ start, end }, index) => {
      const { label, workgroups } = some[index]
      timed.push({ ...splitLabel(label), workgroups: workgroups(rows), start, seconds: end - start })
    })
  }
  return timed
}

/** The dispatches of decode steps behind `context` tokens. */
async function profileDecode(
  conversation: Conversation,
  clock: GpuClock,
  context: number,
): Promise<TimedRun[]> {
  const { engine } = conversation
  // The sampler goes on by itself from where this leaves it.
  const start = Math.min(context, engine.contextLength - RUNS - 3)
  await conversation.decode(start, 1)
  const { body, head, sample } = await engine.stepPlan(1)
  const runs: TimedRun[] = []
  for (let run = 0; run < RUNS; run++) {
    const dispatches = await timeDispatches(engine, clock, [...body, ...head, ...sample], 1)
    runs.push({ phase: 'decode', context: start, rows: 1, dispatches })
  }
  return runs
}

/** The dispatches of steps of `rows` sequences, from where the rows of the last step are; `context` is told to the reader only. */
export async function profileStep(engine: WebGpuEngine, rows: number, context: number): Promise<TimedRun[]> {
  const clock = new GpuClock(engine.gpu, CLOCK_CAPACITY)
  const { body, head, sample } = await engine.stepPlan(rows)
  const runs: TimedRun[] = []
  for (let run = 0; run < RUNS; run++) {
    const dispatches = await timeDispatches(engine, clock, [...body, ...head, ...sample], rows)
    runs.push({ phase: 'decode', context, rows, dispatches })
  }
  clock.dispose()
  return runs
}

/** The dispatches of a prompt's last chunk, which is computed again and again into the same rows. */
async function profilePrefill(
  conversation: Conversation,
  clock: GpuClock,
  tokens: number,
): Promise<TimedRun[]> {
  const { engine } = conversation
  await conversation.prefill(tokens)
  const body = await engine.prefillPlan()
  const rows = ((tokens - 1) % engine.chunkTokens) + 1
  const runs: TimedRun[] = []
  for (let run = 0; run < RUNS; run++) {
    const dispatches = await timeDispatches(engine, clock, body, rows)
    runs.push({ phase: 'prefill', context: tokens, rows, dispatches })
  }
  return runs
}

/**
 * Times every dispatch of decode steps and of chunks of prompts. Dispatches in passes of their own have gaps between
 * them that one pass has not, so that their sum is no throughput.
 */
export async function profile(
  conversation: Conversation,
  contexts: readonly number[],
  prompts: readonly number[],
): Promise<TimedRun[]> {
  const { gpu } = conversation.engine
  if (!GpuClock.available(gpu)) throw new Error('A profile needs timestamp-query, which this adapter lacks.')
  const clock = new GpuClock(gpu, CLOCK_CAPACITY)
  const runs: TimedRun[] = []
  for (const context of contexts) runs.push(...(await profileDecode(conversation, clock, context)))
  for (const tokens of prompts) runs.push(...(await profilePrefill(conversation, clock, tokens)))
  clock.dispose()
  return runs
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}

/** Sums the dispatches of each label, longest first within a phase and context. */
export function timesByLabel(runs: readonly TimedRun[]): LabelTime[] {
  const groups = new Map<string, TimedRun[]>()
  for (const run of runs) {
    const key = `${run.phase} ${run.context} ${run.rows}`
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  return [...groups.values()].flatMap((group) => {
    const [{ phase, context, rows, dispatches }] = group
    const labels = [...new Set(dispatches.map(({ label }) => label))]
    const times = labels.map((label) => {
      const sums = group.map((run) =>
        run.dispatches.reduce((sum, one) => sum + (one.label === label ? one.seconds : 0), 0),
      )
      const calls = dispatches.filter((one) => one.label === label).length
      return { phase, context, rows, label, calls, seconds: median(sums) }
    })
    return times.sort((a, b) => b.seconds - a.seconds)
  })
}
