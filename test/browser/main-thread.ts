/** What the main thread of a page does, in the time of the processor: a machine that others use, too, stretches only the clock. */
import type { Page } from 'playwright-core'

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /** Processor time, in microseconds. */
  readonly tdur?: number
  readonly args: { readonly name?: string }
}

export interface MainThreadTime {
  /** All tasks together, in milliseconds. */
  readonly total: number
  readonly longest: number
}

/** Traces the tasks of the page's main thread while `work` is done. */
export async function traceMainThread(page: Page, work: () => Promise<unknown>): Promise<MainThreadTime> {
  const session = await page.context().newCDPSession(page)
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['__metadata', 'disabled-by-default-devtools.timeline'] },
  })
  await work()
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
  await session.send('Tracing.end')
  await complete
  await session.detach()
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`
  const mainThreads = new Set(
    events.filter(({ args }) => args.name === 'CrRendererMain').map((event) => threadOf(event)),
  )
  const tasks = events
    .filter((event) => event.name === 'RunTask' && mainThreads.has(threadOf(event)))
    .map(({ tdur = 0 }) => tdur / 1000)
  return { total: tasks.reduce((sum, task) => sum + task, 0), longest: Math.max(0, ...tasks) }
}
