import type { TimedRun } from './profile.js'

/** An event of the Chrome trace format, which Perfetto (ui.perfetto.dev) opens. Times in microseconds. */
interface TraceEvent {
  readonly name: string
  /** X: a slice with a duration; M: a name of a process or thread. */
  readonly ph: 'X' | 'M'
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: string
  readonly args: Readonly<Record<string, unknown>>
}

const PROCESS = 1
const RUNS = 1
const DISPATCHES = 2
const MICROSECONDS = 1e6

function named(kind: 'process_name' | 'thread_name', tid: number, name: string): TraceEvent {
  return { name: kind, ph: 'M', pid: PROCESS, tid, args: { name } }
}

/** A trace with a slice for every run and every dispatch. */
export function chromeTrace(runs: readonly TimedRun[], adapter: string) {
  const origin = Math.min(...runs.flatMap(({ dispatches }) => dispatches.map(({ start }) => start)))
  const events: TraceEvent[] = [
    named('process_name', 0, adapter),
    named('thread_name', RUNS, 'steps and chunks'),
    named('thread_name', DISPATCHES, 'dispatches'),
  ]
  for (const { phase, context, rows, dispatches } of runs) {
    const slice = (
      name: string,
      tid: number,
      start: number,
      end: number,
      args: TraceEvent['args'],
    ): TraceEvent => ({
      name,
      ph: 'X',
      cat: phase,
      pid: PROCESS,
      tid,
      ts: (start - origin) * MICROSECONDS,
      dur: (end - start) * MICROSECONDS,
      args,
    })
    const [first] = dispatches
    const last = dispatches[dispatches.length - 1]
    const title = phase === 'decode' ? `token at ${context}` : `chunk of ${rows} up to ${context}`
    events.push(slice(title, RUNS, first.start, last.start + last.seconds, { context, rows }))
    for (const { label, layer, workgroups, start, seconds } of dispatches) {
      events.push(
        slice(label, DISPATCHES, start, start + seconds, { layer, workgroups: workgroups.join(' x ') }),
      )
    }
  }
  return { traceEvents: events, displayTimeUnit: 'ns' }
}
