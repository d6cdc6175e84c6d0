import { InterruptedError } from './errors.js'
import type { Terminal } from './terminal.js'

/** How long work may take to stop before the user hears that it was told to. */
const PATIENCE_MS = 500

/**
 * Runs work that Ctrl-C ends.
 * @throws InterruptedError when it did: the work's own, or one without advice
 */
export async function interruptible<Result>(
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const { signal } = controller
  let stopping: NodeJS.Timeout | undefined
  const release = terminal.io.onInterrupt(() => {
    controller.abort(new InterruptedError())
    stopping = setTimeout(() => terminal.note('Stopping … Ctrl-C again ends it at once.'), PATIENCE_MS)
  })
  try {
    return await work(signal)
  } catch (error) {
    // Whatever the library made of the abort, Ctrl-C is the cause.
    throw signal.aborted && !(error instanceof InterruptedError) ? signal.reason : error
  } finally {
    clearTimeout(stopping)
    release()
  }
}
