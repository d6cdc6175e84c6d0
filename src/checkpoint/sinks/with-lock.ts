import type { ByteSink } from './byte-sink.js'

/**
 * Does work that writes to a destination, while nobody else does.
 * @param work what it is, for others: `a training`
 * @throws `busy.output` where somebody else writes there, `sink.failed` where it cannot be written to
 */
export async function withLock<Result>(
  sink: ByteSink,
  work: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const unlock = await sink.lock?.(work)
  try {
    return await run()
  } finally {
    await unlock?.()
  }
}
