/**
 * Runs jobs, several at once, and gives their results in the order of the jobs. What is not begun when one fails, or when
 * the loop is left, is not begun any more.
 */
export async function* inOrder<Result>(
  jobs: readonly (() => Promise<Result>)[],
  width: number,
): AsyncGenerator<Result, void> {
  const underWay: Promise<Result>[] = []
  let next = 0
  for (;;) {
    while (next < jobs.length && underWay.length < width) {
      const job = jobs[next++]()
      // Where one before it fails, nobody waits for this one.
      job.catch(() => {})
      underWay.push(job)
    }
    const first = underWay.shift()
    if (!first) return
    yield await first
  }
}
