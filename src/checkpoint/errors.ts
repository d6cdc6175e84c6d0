/**
 * The message of a caught value. For errors of the platform (file system, network) whose cause says more
 * than they do themselves, the cause's message follows.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : ''
  return `${error.message}${cause}`
}

/** Whether a caught value is the abort of `signal`, which callers must see unchanged. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  return signal?.aborted === true && (error === signal.reason || (error as Error)?.name === 'AbortError')
}
