/** A stream for output; a terminal says so by `isTTY`. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

export type InputStream = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/** What the command touches of its process, so that tests can give it something else. */
export interface Io {
  readonly stdin: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Calls the listener, once, at the next Ctrl-C or SIGTERM, or when whoever reads the output has gone. Another Ctrl-C ends the
   * process in the system's own way, so that nothing can hang for good.
   * @returns what takes the listener away
   */
  onInterrupt(listener: () => void): () => void
}

/** What asks a process to end. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process
  const listeners = new Set<() => void>()
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    for (const listener of listeners) listener()
  })
  return {
    stdin,
    stdout,
    stderr,
    env,
    onInterrupt(listener) {
      for (const signal of SIGNALS) process.once(signal, listener)
      listeners.add(listener)
      return () => {
        for (const signal of SIGNALS) process.removeListener(signal, listener)
        listeners.delete(listener)
      }
    },
  }
}
