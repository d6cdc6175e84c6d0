import { InterruptedError } from './errors.js'
import type { Io } from './io.js'

/**
 * Runs work that Ctrl-C ends.
 * @throws InterruptedError when it did: the work's own, or one without advice
 */
export async function interruptible<Result>(
  io: Io,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const { signal } = controller
  const release = io.onInterrupt(() => controller.abort(new InterruptedError()))
  try {
    return await work(signal)
  } catch (error) {
    // Whatever the library made of the abort, Ctrl-C is the cause.
    throw signal.aborted && !(error instanceof InterruptedError) ? signal.reason : error
  } finally {
    release()
  }
}
