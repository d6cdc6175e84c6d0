/**
 * Runs jobs in order with at most `width` under way at once, and stops starting new ones after a failure.
 * @throws the first failure, after the jobs under way have ended
 */
export async function inParallel(
  jobs: readonly (() => Promise<void>)[],
  width: number,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0
  let failure: { error: unknown } | undefined
  const worker = async () => {
    while (next < jobs.length && !failure) {
      const job = jobs[next++]
      try {
        signal?.throwIfAborted()
        await job()
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, jobs.length) }, worker))
  if (failure) throw failure.error
}

/**
 * Results of tasks in their order, with up to `ahead` tasks begun before their turn.
 * @throws the first failure, once the tasks begun have ended
 */
export async function* inOrder<T>(tasks: Iterable<() => Promise<T>>, ahead: number): AsyncGenerator<T> {
  const begun: Promise<T>[] = []
  const waiting = tasks[Symbol.iterator]()
  const begin = () => {
    const next = waiting.next()
    if (next.done) return
    const result = next.value()
    // Awaited in its turn, but a failure may come earlier than that.
    result.catch(() => {})
    begun.push(result)
  }
  try {
    for (let i = 0; i <= ahead; i++) begin()
    while (begun.length > 0) {
      const result = await begun.shift()
      begin()
      yield result as T
    }
  } finally {
    await Promise.allSettled(begun)
  }
}

/** The result of work, or an error at once when the signal is aborted, although the work goes on. @throws its reason */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
