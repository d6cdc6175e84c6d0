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
